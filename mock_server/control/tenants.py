"""The sandboxes of a server: the default one, and further ones by name, apart from each other.

A request belongs to the sandbox that issued its credential, so no client needs a special header.
"""

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from mock_server.control.saved_states import SavedState, SavedStates
from mock_server.control.threads import now_or_in_thread
from mock_server.control.wire.errors import ControlError
from mock_server.serving.delivery_worker import Deliveries, ServerFacts
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.options import Options
from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.environment import client_environment
from pytest_turris.process.steady_clock import steady_time

if TYPE_CHECKING:
    from mock_server.store.kept_sandbox import KeptSandbox
    from mock_server.store.store import Store, TenantRow
    from pytest_turris.audit.live import LiveAudit

T = TypeVar("T")

DEFAULT = "default"
"""The name of the sandbox whose credentials the server prints."""

ENTITY_ID = "TURRIS_UPSTREAM_ENTITY_ID"
"""The variable with the id that every webhook of a sandbox has."""

MOST = 10_000
"""How many tenants there may be at a time."""


_SWEEP_SECONDS = 1.0


class Tenant:
    """One sandbox of the server, with what surrounds it.

    Args:
        name: Its name.
        sandbox: The sandbox, as it is at its start. Its options belong to it alone.
        server: Returns what it must know of the server.
        idle_limit: After how long without a request it is deleted; None for never.
        kept: Its state in the store of the server, if there is one.
    """

    def __init__(
        self,
        name: str,
        sandbox: Sandbox,
        server: Callable[[], ServerFacts],
        idle_limit: dt.timedelta | None = None,
        kept: "KeptSandbox | None" = None,
    ) -> None:
        self.name: str = name
        self.sandbox: Sandbox = sandbox
        self.deliveries: Deliveries = Deliveries(
            sandbox, server, is_shared=kept is not None and kept.is_shared
        )
        self.idle_limit: dt.timedelta | None = idle_limit
        self._server = server
        self._used_at = steady_time()
        self.kept: KeptSandbox | None = kept
        """Its state in the store of the server, if there is one."""
        self.saved: SavedStates = SavedStates(sandbox, kept)
        """Saved states by name."""
        self._audit: LiveAudit | None = None
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
        """What its clients showed about the vendor's security page, from the first request on."""
        if self._audit is None:
            from pytest_turris.audit.live import LiveAudit  # noqa: PLC0415 - no server starts later

            self._audit = LiveAudit(self.sandbox, self.name)
        return self._audit

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

    def step(self, what: str) -> contextlib.AbstractContextManager[object]:
        """A block, under the lock of the sandbox, that is one step of this name in its history."""
        return self.kept.step(what) if self.kept else self.sandbox.lock

    def look(self) -> None:
        """Take over what other servers have done, if there are any."""
        with contextlib.suppress(StoreError), self.sandbox.lock:
            pass

    def use(self) -> None:
        """Note that it is in use."""
        self._used_at = steady_time()

    def handle(self, request: Request) -> Response:
        """Answer a request to the API.

        Raises:
            ConnectionFailure: A scripted fault.
        """
        self.use()
        return self.sandbox.handle(request)

    def carry_out(self, work: Callable[[], T], *, is_long: bool = False) -> T | Awaitable[T]:
        """Do something with the sandbox now, or in a thread if that could hold up other tenants.

        Args:
            work: What to do; it takes the sandbox's lock itself.
            is_long: Whether it may take long. What has become due may, too, and so may another
                thread that has the lock.
        """
        lock = self.kept.own_lock if self.kept else self.sandbox.lock
        return now_or_in_thread(lock, work, is_long=is_long or self.sandbox.has_work_due)

    def restore(self, saved: SavedState) -> None:
        """Become what was saved."""
        self.sandbox.faults.hang_up()
        self.audit.cut()
        saved.restore(self.sandbox)

    def begin(self) -> None:
        """Take the state that the sandbox has now for that of its start."""
        self.saved.begin()

    def reset(self) -> None:
        """Become what the sandbox was at its start."""
        sandbox = self.sandbox
        sandbox.faults.hang_up()
        self.audit.cut()
        sandbox.expect_since(0)
        self.saved.reset()
        sandbox.outbox.network_faults = NetworkFaults()


class Tenants:
    """All sandboxes of a server by name.

    Args:
        default: The sandbox whose credentials the server prints.
        store: What keeps the sandboxes, if anything does.
    """

    def __init__(self, default: Sandbox, store: "Store | None" = None) -> None:
        self.store: Store | None = store
        """What keeps them, if anything does."""
        self.server: ServerFacts = ServerFacts()
        """What sandboxes must know of the server; set once it listens."""
        self.is_closed: bool = False
        """Whether the server stops: streams end then."""
        kept = store.kept(DEFAULT) if store else None
        self.default: Tenant = Tenant(DEFAULT, default, lambda: self.server, kept=kept)
        self._lock = threading.Lock()
        self._resuming = threading.RLock()
        self._others: dict[str, Tenant] = {}
        self._by_credential: dict[str, Tenant] = {}
        self._swept_at = steady_time()

    def __iter__(self) -> Iterator[Tenant]:
        return iter((self.default, *tuple(self._others.values())))

    def __len__(self) -> int:
        return 1 + len(self._others)

    @property
    def has_others(self) -> bool:
        """Whether there may be any besides the default one."""
        return self.is_shared or bool(self._others)

    @property
    def is_shared(self) -> bool:
        """Whether other servers have the same sandboxes."""
        return self.store is not None and self.store.is_shared

    def rows(self) -> "dict[str, TenantRow]":
        """All sandboxes as a shared store has them; the default one is the first."""
        rows = self.store.tenants() if self.store else {}
        return {name: rows[name] for name in sorted(rows, key=lambda name: (name != DEFAULT, name))}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all sandboxes."""
        return (DEFAULT, *self._others)

    def get(self, name: str) -> Tenant | None:
        """The tenant of a name."""
        if name == DEFAULT:
            return self.default
        found = self._others.get(name)
        if found is None and self.is_shared:
            found = self._found_in_store(name)
        return found

    def create(
        self,
        name: str,
        options: Options,
        idle_limit: dt.timedelta | None = None,
        fill: Callable[[Sandbox], object] | None = None,
    ) -> Tenant:
        """Add a sandbox with credentials of its own.

        Args:
            name: Its name.
            options: Its options.
            idle_limit: After how long without a request it is deleted; None for never.
            fill: Gives it what it begins with. If that fails, there is no such tenant.

        Raises:
            ControlError: The name is taken, or there are too many.
        """
        self.sweep()
        if name == DEFAULT or self.get(name):
            raise ControlError(409, f"there is a tenant {name!r}")
        if len(self._others) >= MOST:
            raise ControlError(409, f"there are {MOST} tenants; delete one first")
        # The random part lets credentials of an earlier tenant of this name be unknown.
        seed = f"{name}/{os.urandom(16).hex()}"
        sandbox = Sandbox(options, name=seed, base_url=self.server.base_url)
        tenant = self._added(name, sandbox, idle_limit)
        try:
            if fill:
                fill(sandbox)
                tenant.begin()
        except BaseException:
            self.delete(name)
            raise
        return tenant

    def resume(self) -> None:
        """Add the tenants that the store has; a shared one is asked when one is needed."""
        if self.store and not self.is_shared:
            for name, row in self.store.tenants().items():
                if name != DEFAULT:
                    self._resumed(name, row)

    def _found_in_store(self, name: str) -> Tenant | None:
        """The tenant that another server has made."""
        row = self.store.tenant(name) if self.store else None
        return self._resumed(name, row) if row else None

    def _resumed(self, name: str, row: "TenantRow") -> Tenant | None:
        sandbox = Sandbox(row.options, name=name, base_url=self.server.base_url)
        with self._resuming:
            found = self._others.get(name)
            with contextlib.suppress(TenantGoneError):
                return found or self._added(name, sandbox, row.idle_limit)
        return None

    def _added(self, name: str, sandbox: Sandbox, idle_limit: dt.timedelta | None) -> Tenant:
        # First: the store gives the sandbox another lock, and what it kept.
        kept = self.store.attach(sandbox, name, idle_limit) if self.store else None
        tenant = Tenant(name, sandbox, lambda: self.server, idle_limit, kept)
        with self._lock:
            self._others[name] = tenant
        for credential in sandbox.credentials.issued:
            self._note(credential, tenant)
        sandbox.credentials.on_issue = lambda issued: self._note(issued, tenant)
        return tenant

    def _note(self, credential: str, tenant: Tenant) -> None:
        self._by_credential[credential] = tenant

    def delete(self, name: str) -> None:
        """Forget a sandbox and its credentials.

        Raises:
            UnknownRecordError: There is none of that name.
            ControlError: It is the default one.
        """
        if name == DEFAULT:
            raise ControlError(409, "the default sandbox is not deleted; reset it")
        if self.get(name) is None:
            raise UnknownRecordError(f"no tenant {name!r}")
        self.forget(name)
        if self.store:
            self.store.delete(name)

    def forget(self, name: str) -> None:
        """Have a sandbox no longer in this server."""
        with self._lock:
            tenant = self._others.pop(name, None)
            for credential in tenant.sandbox.credentials.issued if tenant else ():
                self._by_credential.pop(credential, None)
        if tenant:
            tenant.sandbox.faults.hang_up()
        if self.store:
            self.store.forget(name)

    def find(self, credentials: Collection[str]) -> Tenant | None:
        """The tenant that issued one of these credentials; the default one is not looked at."""
        found = next(filter(None, map(self._by_credential.get, credentials)), None)
        if found is None and self.store and self.is_shared and credentials:
            names = self.store.owners(credentials)
            return next(filter(None, map(self.get, names)), None)
        return found

    def sweep(self) -> None:
        """Forget the tenants that were idle for too long; at most once a second."""
        if steady_time() - self._swept_at < _SWEEP_SECONDS:
            return
        self._swept_at = steady_time()
        if self.store and self.is_shared:  # the others know of requests too
            expired = self.store.expired()
        else:
            expired = [tenant.name for tenant in self._others.values() if tenant.is_expired]
        for name in expired:
            with contextlib.suppress(UnknownRecordError):  # deleted meanwhile
                self.delete(name)

    def deliveries(self) -> list[Deliveries]:
        """The webhooks of the sandboxes that may have some to send; idle ones are deleted first."""
        self.sweep()
        if self.store and self.is_shared:
            due = filter(None, map(self.get, self.store.due()))
            return [tenant.deliveries for tenant in due]
        return [tenant.deliveries for tenant in self]
