"""One sandbox of the server: its webhooks, its saved states, its audit, and when it expires."""

import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from mock_server.control.saved_states import SavedState, SavedStates
from mock_server.control.threads import InTurn, Sending
from mock_server.serving.delivery_worker import Deliveries
from mock_server.serving.server_facts import ServerFacts
from mock_server.store.errors import StoreError
from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.environment import client_environment
from pytest_turris.process.steady_clock import steady_time

if TYPE_CHECKING:
    from mock_server.store.kept_sandbox import KeptSandbox
    from pytest_turris.audit.live import LiveAudit

T = TypeVar("T")

ENTITY_ID = "TURRIS_UPSTREAM_ENTITY_ID"
"""The environment variable with the upstreamEntityId, which every webhook of a sandbox has."""


class Tenant:
    """One sandbox of the server, with what belongs to it.

    Args:
        name: Its name.
        sandbox: The sandbox, as it is at its start. Its options belong to it alone.
        server: Returns what it must know about the server.
        idle_limit: After how long without a request it is deleted; None for never.
        kept: Its state in the store of the server, if there is one.
        audited: Returns how many of its requests the audit keeps before it judges them.
    """

    def __init__(
        self,
        name: str,
        sandbox: Sandbox,
        server: Callable[[], ServerFacts],
        idle_limit: dt.timedelta | None = None,
        kept: "KeptSandbox | None" = None,
        *,
        audited: Callable[[], int],
    ) -> None:
        self.name: str = name
        self.sandbox: Sandbox = sandbox
        sandbox.clock.is_of_a_server = True
        self.deliveries: Deliveries = Deliveries(
            sandbox, server, is_shared=kept is not None and kept.is_shared
        )
        self.idle_limit: dt.timedelta | None = idle_limit
        self._server = server
        self._in_turn = InTurn()
        self.sending: Sending = Sending()
        """Its work that waits for receivers."""
        self._used_at = steady_time()
        self.kept: KeptSandbox | None = kept
        """Its state in the store of the server, if there is one."""
        self.saved: SavedStates = SavedStates(sandbox, kept)
        """Saved states by name."""
        self._audit: LiveAudit | None = None
        self._audited = audited
        sandbox.journal.observer = self._begin_audit

    @property
    def idle(self) -> dt.timedelta:
        """How long there was no request, in real time."""
        return dt.timedelta(seconds=steady_time() - self._used_at)

    @property
    def is_expired(self) -> bool:
        """Whether it was idle for too long."""
        return self.idle_limit is not None and self.idle > self.idle_limit

    @property
    def audit(self) -> "LiveAudit":
        """The evidence about the vendor's security page, from the first request on."""
        if self._audit is None:
            from pytest_turris.audit.live import LiveAudit  # noqa: PLC0415 - no server starts later

            self._audit = LiveAudit(self.sandbox, self.name, self._audited)
        return self._audit

    @property
    def is_audited(self) -> bool:
        """Whether there was anything to audit."""
        return self._audit is not None

    def _begin_audit(
        self, request: Request, response: Response | None, facts: dict[str, Any]
    ) -> None:
        self.audit.observe(request, response, facts)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that a client of this sandbox needs."""
        server = self._server()
        variables = client_environment(self.sandbox, server.base_url, server.ca_file)
        return variables | {ENTITY_ID: self.sandbox.upstream_entity_id}

    def unsent(self) -> Iterator[str]:
        """A line for each webhook that no receiver has accepted yet."""
        outbox = self.sandbox.outbox
        for delivery in outbox.unsent:
            endpoint = outbox.endpoints.get(delivery.endpoint_id)
            url = redact_target(endpoint.url) if endpoint else "a removed webhook"
            yield f"webhook {delivery.number} {delivery.webhook_type} -> {url}"

    def step(self, what: str) -> contextlib.AbstractContextManager[object]:
        """A block, under the lock of the sandbox, that is one step of this name in its history."""
        return self.kept.step(what) if self.kept else self.sandbox.lock

    def end_step(self) -> None:
        """End the step: what follows under the lock is another one, if steps are kept."""
        if self.kept:
            self.kept.end_step()

    @property
    def own_lock(self) -> contextlib.AbstractContextManager[object]:
        """The lock between the threads of this server; other servers do not know it."""
        return self.kept.own_lock if self.kept else self.sandbox.lock

    def look(self) -> None:
        """Take over the changes of other servers, if there are any."""
        with contextlib.suppress(StoreError), self.sandbox.lock:
            pass

    def use(self) -> None:
        """Note that it is in use."""
        self._used_at = steady_time()

    @property
    def last_line(self) -> str:
        """The newest exchange in one line of a log, which has the time unless this has another."""
        journal = self.sandbox.journal
        line = journal.last_line if self.sandbox.clock.offset else journal.last_outline
        return line.replace("\n    ", "  ")

    def handle(self, request: Request) -> Response:
        """Answer a request to the API.

        Raises:
            ConnectionFailure: A scripted fault.
        """
        self.use()
        return self.sandbox.handle(request)

    def carry_out(self, work: Callable[[], T], *, is_long: bool = False) -> T | Awaitable[T]:
        """Do something with the sandbox now, or in a thread if it could delay other tenants.

        Args:
            work: What to do; it takes the sandbox's lock itself.
            is_long: Whether it may take long. Work that has become due, thousands of records, and
                another thread that holds the lock can also take long.
        """
        return self._in_turn.now_or_in_thread(
            self.own_lock, work, is_long=is_long or self.sandbox.may_take_long
        )

    def restore(self, saved: SavedState) -> None:
        """Restore a saved state."""
        self.sandbox.faults.hang_up()
        self.audit.cut()
        saved.restore(self.sandbox)

    def begin(self) -> None:
        """Make the present state that of the start."""
        self.saved.begin()

    def reset(self) -> None:
        """Reset the sandbox to its state at the start."""
        sandbox = self.sandbox
        sandbox.faults.hang_up()
        self.audit.cut()
        sandbox.expect_since(0)
        self.saved.reset()
        sandbox.state.outbox.network_faults = NetworkFaults()
