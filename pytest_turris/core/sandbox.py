"""The sandbox: one upstream entity at a fake Turris. ``handle`` is its only port."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from pytest_turris.core import following
from pytest_turris.core.access.authentication import Authentication
from pytest_turris.core.access.credentials import Credentials
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.api.dispatcher import Dispatcher
from pytest_turris.core.api.pipeline import Pipeline
from pytest_turris.core.api.router import routes_at
from pytest_turris.core.checks import assertions, fresh_state, strictness
from pytest_turris.core.clock import Clock
from pytest_turris.core.entity.entity import UpstreamEntity
from pytest_turris.core.entity.events import EventLog
from pytest_turris.core.entity.records import C, Collections
from pytest_turris.core.entity.seeds import SeedData, seed
from pytest_turris.core.faults.scripted import Faults
from pytest_turris.core.journal.expectations import Refusals
from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.middleware.idempotency import Idempotency
from pytest_turris.core.middleware.interception import Interceptors
from pytest_turris.core.middleware.limits import Limits
from pytest_turris.core.options import Options, option_types
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.resources.associations import Association
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.snapshots.outbox_state import OutboxState
from pytest_turris.core.snapshots.state import SnapshotState
from pytest_turris.core.snapshots.versions import migrated
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.text.redaction import Secret
from pytest_turris.core.undo import Undo, refuse_copy, whole
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.core.wire.messages import Request, Response

if TYPE_CHECKING:
    from pytest_turris.core.access.credential import ApiClient
    from pytest_turris.core.outbox.outbox import Outbox


class Sandbox(Collections):
    """A fake Turris for one upstream entity: stateful, strict, on its own clock.

    It answers the requests of every door. It does no I/O; any thread may call it.
    """

    token_requests: int = 0
    """The number of ``POST /v1/auth/jwt`` requests, refused ones included."""
    doors: tuple[str, ...] = ()
    """The client libraries that are answered in process, by name."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        name: str = "",
        base_url: str = "",
        client_id: str = "",
        client_secret: str = "",
    ) -> None:
        """Start empty, with one API client.

        Args:
            options: What to do where the documentation leaves a choice.
            name: Part of the seed: sandboxes of other names have other ids and secrets.
            base_url: The URL that it answers at, if not at a documented host.
            client_id: The id of its API client; a new one by default.
            client_secret: The secret of its API client; a new one by default.

        Raises:
            CredentialError: The id or the secret may be a real one.
        """
        self.options: Options = options or Options()
        self.base_url: str = base_url or f"https://{HOSTS[self.options.environment]}"
        """The URL of the documented host of the default environment, or of a server."""
        self.clock: Clock = Clock()
        self._routes = routes_at(self.options.webhooks_path)
        self._resolve: Callable[[str], str] = self._routes.resolve
        self.undo: Undo = Undo(threading.RLock())
        """A block, under the lock, that takes effect as a whole or not at all."""
        self.randomness: Randomness = Randomness(f"{self.options.seed}/{name}")
        self._entity = UpstreamEntity(self.clock, self.randomness, self.options, self.undo)
        self.credentials: Credentials = Credentials(self.clock, self.randomness)
        self.tokens: Tokens = Tokens(self.clock, self.randomness, self.options)
        self.limits: Limits = Limits(self.clock, self.options)
        self.idempotency: Idempotency = Idempotency(self.clock, self.options)
        self.faults: Faults = Faults(self._resolve)
        self.journal: Journal = Journal(self.options.journal_limit)
        self.interceptors: Interceptors = Interceptors()
        """The interceptors between the doors and this sandbox."""
        self._refusals = Refusals(self.undo)
        for part in (self.randomness, self.credentials, self.tokens, self.limits):
            part.undo = self.undo
        self.idempotency.undo = self.faults.undo = self.journal.undo = self.undo
        self.client: ApiClient = self.credentials.issue(
            environment=self.options.environment, client_id=client_id, client_secret=client_secret
        )
        """The API client whose credentials a test finds in its environment variables."""
        self.limits.default_credential = self.client.client_id
        self.limits.names = lambda: self.credentials.names

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while a request is answered; hold it for exclusive use of the state."""
        return self.undo.lock

    assert_token_requests: Final = assertions.assert_token_requests
    assert_no_token_in_urls: Final = assertions.assert_no_token_in_urls
    assert_refreshed_within_buffer: Final = assertions.assert_refreshed_within_buffer
    assert_no_expired_token_used: Final = assertions.assert_no_expired_token_used
    assert_retried_safely: Final = assertions.assert_retried_safely
    expect_refusal: Final = strictness.expect_refusal
    expect_since: Final = strictness.expect_since
    strict_failures: Final = strictness.strict_failures
    fresh: Final = fresh_state.fresh
    follow: Final = following.follow
    follow_whole: Final = following.follow_whole
    shared_facts: Final = following.shared_facts
    next_due: Final = following.next_due
    __reduce__ = refuse_copy

    def collection(self, kind: type[C]) -> C:
        """The collection of one kind, such as ``Agents``: what the attribute of its name gives."""
        self.settle()
        return self._entity.records.collection(kind)

    @property
    def events(self) -> EventLog:
        """The events up to now, including those that have become due."""
        self.settle()
        return self._entity.events

    @whole
    def settle(self) -> None:
        """Carry out what is due by now. Every request, change and use of the records does so."""
        self._entity.settle()

    @property
    def may_take_long(self) -> bool:
        """Whether a request can take seconds: a file is due, or there are thousands of records."""
        return self._entity.may_take_long

    @whole
    def execute_agreement(self, association: Association | str) -> None:
        """Execute an association's producer agreement, as if both parties had signed it.

        Raises:
            UnknownRecordError: There is no such association.
            RecordError: Its agreement was executed before.
        """
        key = association.id if isinstance(association, Association) else association
        self._entity.execute_agreement(key)

    @whole
    def seed(self, name: SeedData) -> None:
        """Add named seed data: ``small_agency``, ``national_network`` or ``messy``.

        Raises:
            UnknownNameError: There is no seed data of that name.
        """
        seed(self._entity, name)

    @property
    def upstream_entity_id(self) -> str:
        """The id of the upstream entity, as in a webhook's ``upstreamEntityId``."""
        return self._entity.records.upstream_entity_id

    @property
    @whole
    def outbox(self) -> "Outbox":
        """The registered webhooks and what waits to be sent, with all that happened by now."""
        self._entity.settle()
        self._outbox.collect(self._entity.events, self.clock.now())
        return self._outbox

    @cached_property
    def _outbox(self) -> "Outbox":
        """The outbox, made when it is first used; most tests use none."""
        from pytest_turris.core.outbox.outbox import Outbox  # noqa: PLC0415 - as rarely used

        outbox = Outbox(self._entity.records, self.randomness, self.options)
        outbox.guard(self.undo)
        if (state := vars(self).get("state")) is not None:
            state.outbox.begin(outbox)
        return outbox

    @whole
    def change_options(self, options: Options) -> None:
        """Take over other options; its parts share one object, which must be this sandbox's own.

        Ids, credentials, paths and the journal's limit do not change.
        """
        if (outbox := vars(self).get("_outbox")) is not None:
            self.undo.step(partial(outbox.follow_options, self.options.replaced()))
            outbox.follow_options(options)
        self.undo.attributes(self.options, *option_types())
        for name in option_types():
            object.__setattr__(self.options, name, getattr(options, name))
        if (state := vars(self).get("state")) is not None:
            state.note_options()

    @property
    def sends_webhooks(self) -> bool:
        """Whether a webhook is registered or waits; reading ``outbox`` would make one."""
        outbox = vars(self).get("_outbox")
        return outbox is not None and bool(len(outbox.endpoints) or len(outbox))

    @property
    def webhook_secret(self) -> Secret:
        """The signing key of webhooks: the option ``webhook_secret``, or the client secret.

        If the signature scheme needs a key in base64, it is the client secret in that form.
        """
        options = self.options
        return Secret(options.webhook_secret or options.signing_key(self.client.client_secret))

    @whole
    def new_object_id(self) -> str:
        """A new id, from the same seed as all others."""
        return self.randomness.object_id()

    def handle(self, request: Request) -> Response:
        """Answer a request as Turris would. Never raises for anything a client sends.

        Raises:
            ConnectionFailure: A scripted fault: there is no answer.
        """
        return self.interceptors.wrap(self._handle)(request)

    @whole
    def _handle(self, request: Request) -> Response:
        self._entity.settle()
        if request.is_token_request:
            self.undo.attributes(self, "token_requests")
            self.token_requests += 1
            if state := vars(self).get("state"):
                state.note_token_request()
        return self._dispatcher.answer(request)

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON data, exact. It holds the secrets, which are fakes."""
        return self.undo.run(self.state.snapshot)

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Restore the state of a snapshot; options stay as they are.

        Raises:
            SnapshotError: It is of a newer version, or not a whole snapshot; nothing is changed.
        """
        from pytest_turris.core.snapshots.models import check  # noqa: PLC0415 - see there

        state = migrated(snapshot)
        check(state)
        try:
            # Try it with another sandbox first: a broken snapshot does not change this one.
            Sandbox(self.options).state.become(state)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise SnapshotError(f"not a whole snapshot: {error}") from error
        self.undo.run(self.state.become_as_a_whole, state)

    @cached_property
    def state(self) -> SnapshotState:
        """The state as a store keeps it; hold the lock while you use it."""
        outbox = OutboxState(lambda: vars(self).get("_outbox"), lambda: self._outbox)
        return SnapshotState(self, self._entity, outbox)

    def __repr__(self) -> str:
        return (
            f"<Sandbox {self.client.client_id}: {counted(len(self.agents), 'agent')}, "
            f"{counted(len(self.associations), 'association')}, "
            f"{counted(self.journal.seen, 'exchange')}>"
        )

    @cached_property
    def _dispatcher(self) -> Dispatcher:
        return Dispatcher(
            options=self.options,
            clock=self.clock,
            randomness=self.randomness,
            entity=self._entity,
            open_outbox=lambda: self.outbox,
            credentials=self.credentials,
            tokens=self.tokens,
            limits=self.limits,
            pipeline=Pipeline(
                options=self.options,
                clock=self.clock,
                authentication=Authentication(self.credentials, self.tokens, self.options),
                idempotency=self.idempotency,
                faults=self.faults,
                routes=self._routes,
            ),
            journal=self.journal,
            refusals=self._refusals,
        )
