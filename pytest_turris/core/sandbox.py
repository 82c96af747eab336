"""The sandbox: one upstream entity at a fake Turris. ``handle`` is its only port."""

import datetime as dt
import threading
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from pytest_turris.core import assertions
from pytest_turris.core.access.authentication import Authentication, carries_token
from pytest_turris.core.access.credentials import ApiClient, Credentials
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.api.call import Call
from pytest_turris.core.api.pipeline import Pipeline
from pytest_turris.core.api.routes import TOKEN_REQUEST, routes_at
from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import C, Collections
from pytest_turris.core.entity.seeds import SeedData, seed
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.journal.expectations import ExpectedRefusal, Refusals
from pytest_turris.core.journal.journal import NO_ANSWER, Exchange, Journal
from pytest_turris.core.middleware.idempotency import Idempotency
from pytest_turris.core.middleware.interception import Interceptors
from pytest_turris.core.middleware.limits import Limits
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.outbox import Outbox
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.redaction import Secret, mask
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.wire.errors import ConnectionFailure, ExpiredToken, TurrisError
from pytest_turris.core.wire.hosts import HOSTS, environment_of, is_turris
from pytest_turris.core.wire.messages import Request, Response

SNAPSHOT_VERSION = 1


class SnapshotError(TurrisKitError, ValueError):
    """A snapshot of another version, or none at all."""


class Sandbox(Collections):
    """A fake Turris for one upstream entity: stateful, strict, on its own clock.

    The same object answers in a test, through every door, and stands behind the standalone
    server. It does no I/O and may be called from any thread.
    """

    def __init__(
        self, options: Options | None = None, *, name: str = "", base_url: str = ""
    ) -> None:
        """Start empty, with one API client.

        Args:
            options: What to do where the documentation leaves a choice.
            name: Makes ids and secrets differ from those of another sandbox with this seed.
            base_url: Where it answers, if not at a documented host.
        """
        self.options: Options = options or Options()
        self.base_url: str = base_url or f"https://{HOSTS[self.options.environment]}"
        """Where it answers: the documented host of the default environment, or a server."""
        self.clock: Clock = Clock()
        self._routes = routes_at(self.options.webhooks_path)
        self._randomness = Randomness(f"{self.options.seed}/{name}")
        self._entity = UpstreamEntity(self.clock, self._randomness, self.options)
        self.credentials: Credentials = Credentials(self.clock, self._randomness)
        self.tokens: Tokens = Tokens(self.clock, self._randomness, self.options)
        self.limits: Limits = Limits(self.clock, self.options)
        self.idempotency: Idempotency = Idempotency(self.clock, self.options)
        self.faults: Faults = Faults(self._routes.resolve)
        self.journal: Journal = Journal(self.options.journal_limit)
        self.token_requests: int = 0
        """How often ``POST /v1/auth/jwt`` was called, refused calls included."""
        self._service = Pipeline(
            options=self.options,
            clock=self.clock,
            authentication=Authentication(self.credentials, self.tokens),
            idempotency=self.idempotency,
            faults=self.faults,
            routes=self._routes,
        )
        self.interception: Interceptors = Interceptors()
        """Who stands between the doors and this sandbox."""
        self.doors: tuple[str, ...] = ()
        """The client libraries that are answered in process; whoever opens doors says so."""
        self._refusals = Refusals()
        self._lock = threading.RLock()
        self.client: ApiClient = self.credentials.issue(environment=self.options.environment)
        """The API client whose credentials a test finds in its environment variables."""
        self.limits.default_credential = self.client.client_id

    assert_token_requests: Final = assertions.assert_token_requests
    assert_no_token_in_urls: Final = assertions.assert_no_token_in_urls
    assert_refreshed_within_buffer: Final = assertions.assert_refreshed_within_buffer
    assert_no_expired_token_used: Final = assertions.assert_no_expired_token_used
    assert_retried_safely: Final = assertions.assert_retried_safely

    def collection(self, kind: type[C]) -> C:
        """The collection of one kind, such as ``Agents``, after what is due by now happened."""
        self.settle()
        return self._entity.records.collection(kind)

    @property
    def events(self) -> EventLog:
        """What happened up to now, including what has become due."""
        self.settle()
        return self._entity.events

    def settle(self) -> None:
        """Carry out what is due by now; every request, change and look at the records does so."""
        with self._lock:
            self._entity.settle()

    def execute_agreement(self, association: Association | str) -> None:
        """Both parties have signed an association's producer agreement: once per association.

        Raises:
            KeyError: There is no such association.
            RecordError: Its agreement was executed before.
        """
        with self._lock:
            key = association if isinstance(association, str) else association.id
            self._entity.execute_agreement(key)

    def seed(self, world: SeedData) -> None:
        """Add a named world: ``small_agency``, ``national_network`` or ``messy``.

        Raises:
            ValueError: There is no such world; the message names those there are.
        """
        with self._lock:
            seed(self._entity, world)

    @property
    def upstream_entity_id(self) -> str:
        """Whose sandbox it is, as in a webhook's ``upstreamEntityId``."""
        return self._entity.records.upstream_entity_id

    @property
    def outbox(self) -> Outbox:
        """The registered webhooks and what waits to be sent, with all that happened by now."""
        with self._lock:
            self._entity.settle()
            self._outbox.collect(self._entity.events, self.clock.now())
            return self._outbox

    @cached_property
    def _outbox(self) -> Outbox:
        """Made when it is first used; most tests use none."""
        return Outbox(self._entity.records, self._randomness, self.options)

    @property
    def webhook_secret(self) -> Secret:
        """The signing key of webhooks: the option's, else the client secret."""
        return Secret(self.options.webhook_secret or self.client.client_secret)

    @property
    def lock(self) -> threading.RLock:
        """Held while a request is answered; who holds it sees and changes the state alone."""
        return self._lock

    def new_object_id(self) -> str:
        """A fresh id, from the same seed as all others."""
        with self._lock:
            return self._randomness.object_id()

    def handle(self, request: Request) -> Response:
        """Answer a request as Turris would. Never raises for anything a client sends.

        Raises:
            ConnectionFailure: A scripted fault: there is no answer.
        """
        return self.interception.around(self._handle)(request)

    def _handle(self, request: Request) -> Response:
        with self._lock:
            self._entity.settle()
            call = self._call(request)
            if (request.method, request.path) == TOKEN_REQUEST:
                self.token_requests += 1
            try:
                response = self._service.answer(call)
            except TurrisError as error:
                response = self._service.refuse(call, error)
                reason = error.reason
                if isinstance(error, ExpiredToken):
                    gap = self.clock.gap(over_a_socket=not is_turris(request.host))
                    reason = f"{reason}. {gap}" if gap else reason
                self._record(call, response, reason=reason, is_client_error=error.is_client_error)
            except ConnectionFailure as failure:
                self._record(call, None, reason=str(failure))
                raise
            else:
                self._record(call, response)
            # A HEAD request has no operation here, and its answer no content (RFC 9110, 9.3.2).
            return replace(response, body=b"") if request.method == "HEAD" else response

    def expect_refusal(
        self, *, status: int | None = None, operation: str | None = None
    ) -> ExpectedRefusal:
        """A block in which the sandbox is to refuse at least one request with a 4xx.

        Args:
            status: Only this one counts.
            operation: Only this one counts: its name, operation id or ``METHOD /path``.

        Raises:
            ValueError: There is no such operation.
        """
        name = self._routes.resolve(operation) if operation else None
        wanted = f"a refusal with status {status or '4xx'} of {name or 'any operation'}"

        def matches(exchange: Exchange) -> bool:
            return status in (None, exchange.status) and name in (None, "*", exchange.operation)

        return ExpectedRefusal(self.journal, self._refusals, matches, wanted)

    def forgive_since(self, number: int) -> None:
        """What came after the exchange with that number was provoked, and fails no test."""
        self._refusals.forgive(self.journal.since(number))

    def strict_failures(self) -> list[str]:
        """What fails the test at its end, each with the option that relaxes it."""
        found = []
        if self.options.fail_on_refusal and (is_client_error := self._refusals.is_client_error):
            story = "\n".join(f"  {exchange}" for exchange in is_client_error)
            found.append(
                f"{len(is_client_error)} request(s) that Turris would not understand:\n{story}\n"
                "Meant? Put the call into 'with turris.expect_refusal():', "
                "or relax it: @pytest.mark.turris(fail_on_refusal=False)"
            )
        if self.options.fail_on_unused_fault and (unused := self.faults.unused):
            story = "\n".join(f"  {fault}" for fault in unused)
            found.append(
                f"{len(unused)} scripted fault(s) that never fired:\n{story}\n"
                "Not sure to fire? faults.add(..., optional=True), "
                "or relax it: @pytest.mark.turris(fail_on_unused_fault=False)"
            )
        return found

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON data: exact, and secrets included, which are fakes."""
        with self._lock:
            return {
                "version": SNAPSHOT_VERSION,
                "clock": {"offset_us": self.clock.offset // dt.timedelta(microseconds=1)},
                "client": self.client.client_id,
                "token_requests": self.token_requests,
            } | {name: part.snapshot() for name, part in self._parts().items()}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Become what the snapshot holds; options stay as they are.

        Raises:
            SnapshotError: It is of another version, or no snapshot; nothing is changed.
        """
        try:
            version = dict(snapshot).get("version")
        except (TypeError, ValueError):
            version = None
        if version != SNAPSHOT_VERSION:
            raise SnapshotError(
                f"a snapshot of version {version!r}; this sandbox reads {SNAPSHOT_VERSION}"
            )
        try:
            # Another one tries it first: a broken snapshot leaves no trace here.
            Sandbox(self.options)._become(snapshot)  # noqa: SLF001 - of its own class
        except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise SnapshotError(f"not a whole snapshot: {error!r}") from error
        with self._lock:
            self._become(snapshot)

    def __repr__(self) -> str:
        return (
            f"<Sandbox {self.client.client_id}: {len(self.agents)} agents, "
            f"{len(self.associations)} associations, {self.journal.seen} exchanges>"
        )

    def _become(self, snapshot: dict[str, Any]) -> None:
        self.clock.offset = dt.timedelta(microseconds=snapshot["clock"]["offset_us"])
        for name, part in self._parts().items():
            part.restore(snapshot[name])
        client = self.credentials.client(snapshot["client"])
        if client is None:
            raise KeyError(snapshot["client"])
        self.client = client
        self.limits.default_credential = client.client_id
        self.token_requests = int(snapshot["token_requests"])

    def _parts(self) -> dict[str, Any]:
        return {
            "randomness": self._randomness,
            "entity": self._entity,
            "outbox": self._outbox,
            "credentials": self.credentials,
            "tokens": self.tokens,
            "limits": self.limits,
            "idempotency": self.idempotency,
            "faults": self.faults,
            "journal": self.journal,
        }

    def _call(self, request: Request) -> Call:
        if self.options.client_ip:
            request = replace(request, client_ip=self.options.client_ip)
        return Call(
            request=request,
            at=self.clock.now(),
            request_id=self._randomness.request_id(),
            environment=environment_of(request.host, self.options.environment),
            entity=self._entity,
            credentials=self.credentials,
            tokens=self.tokens,
            limits=self.limits,
            options=self.options,
            open_outbox=lambda: self.outbox,
        )

    def _record(
        self,
        call: Call,
        response: Response | None,
        *,
        reason: str = "",
        is_client_error: bool = False,
    ) -> None:
        in_url = carries_token(call.request)
        if in_url:
            call.notes.append("a token was sent in the URL; Turris says never to do that")
        caller = call.caller
        used = self.tokens.find(call.request)
        entry = self.journal.record(
            call.request,
            response.body if response else b"",
            at=call.at,
            environment=call.environment,
            operation=call.operation,
            status=response.status if response else NO_ANSWER,
            credential=caller.credential.name if caller else None,
            token=mask(caller.token.text) if caller and caller.token else None,
            reason=reason,
            is_client_error=is_client_error,
            notes=call.notes,
            request_id=call.request_id,
            token_id=used.jti if used else None,
            token_in_url=in_url,
        )
        if is_client_error:
            self._refusals.note(entry.told())
