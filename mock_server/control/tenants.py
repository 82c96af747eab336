"""The sandboxes of a server: the default one, and further, isolated ones by name.

A request belongs to the sandbox that issued its credential, so no client needs a special header.
"""

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from mock_server.control.tenant import Tenant
from mock_server.control.wire.errors import ControlError
from mock_server.serving.delivery_worker import Deliveries
from mock_server.serving.server_facts import ServerFacts
from mock_server.store.errors import TenantGoneError
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.steady_clock import steady_time

if TYPE_CHECKING:
    from mock_server.store.store import Store, TenantRow
    from pytest_turris.audit.live import GoneAudits

DEFAULT = "default"
"""The name of the sandbox whose credentials the server prints."""

MOST = 10_000
"""How many tenants there may be at a time."""

_SWEEP_SECONDS = 1.0
_ALL_AUDITED = 20_000
"""How many requests the audits of all tenants keep together: some 30 MB."""
_MOST_AUDITED, _FEWEST_AUDITED = 500, 10


class Tenants:
    """All sandboxes of a server by name.

    Args:
        default: The sandbox whose credentials the server prints.
        store: What keeps the sandboxes, if anything does.
    """

    def __init__(self, default: Sandbox, store: "Store | None" = None) -> None:
        self.store: Store | None = store
        """What keeps them, if anything does."""
        self.is_shared: bool = store is not None and store.is_shared
        """Whether other servers have the same sandboxes."""
        self.server: ServerFacts = ServerFacts()
        """What sandboxes must know about the server; set once it listens."""
        self.is_closed: bool = False
        """Whether the server is stopping: then streams end."""
        kept = store.kept(DEFAULT) if store else None
        self._others: dict[str, Tenant] = {}
        self.default: Tenant = Tenant(
            DEFAULT, default, lambda: self.server, kept=kept, audited=self._audited
        )
        self._lock = threading.Lock()
        self._resuming = threading.RLock()
        self._by_credential: dict[str, Tenant] = {}
        self._swept_at = steady_time()
        self._gone: GoneAudits | None = None

    def __iter__(self) -> Iterator[Tenant]:
        return iter((self.default, *tuple(self._others.values())))

    def __len__(self) -> int:
        return 1 + len(self._others)

    def _audited(self) -> int:
        """How many requests the audit of each tenant keeps: the more tenants, the fewer."""
        return min(_MOST_AUDITED, max(_FEWEST_AUDITED, _ALL_AUDITED // len(self)))

    @property
    def has_others(self) -> bool:
        """Whether there may be any besides the default one."""
        return self.is_shared or bool(self._others)

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
            fill: Fills it with its first data. If that fails, no tenant is made.

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
        tenant = Tenant(name, sandbox, lambda: self.server, idle_limit, kept, audited=self._audited)
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
        """Drop a sandbox from this server; other servers may keep it."""
        with self._lock:
            tenant = self._others.pop(name, None)
            for credential in tenant.sandbox.credentials.issued if tenant else ():
                self._by_credential.pop(credential, None)
        if tenant:
            tenant.sandbox.faults.hang_up()
            if tenant.is_audited:
                with tenant.own_lock:
                    self.gone.add(tenant.audit)
        if self.store:
            self.store.forget(name)

    @property
    def gone(self) -> "GoneAudits":
        """What the audits of deleted sandboxes had found."""
        if self._gone is None:
            from pytest_turris.audit.live import GoneAudits  # noqa: PLC0415 - no server starts later

            self._gone = GoneAudits()
        return self._gone

    def find(self, credentials: Collection[str]) -> Tenant | None:
        """The tenant that issued one of these credentials."""
        found = self.known(credentials)
        if found is None and self.store and self.is_shared and credentials:
            names = self.store.owners(credentials)
            return next(filter(None, map(self.get, names)), None)
        return found

    def known(self, credentials: Collection[str]) -> Tenant | None:
        """As ``find``, as far as this server knows."""
        if any(map(self.default.sandbox.credentials.has, credentials)):
            return self.default
        return next(filter(None, map(self._by_credential.get, credentials)), None)

    def sweep(self) -> None:
        """Forget the tenants that were idle for too long; at most once a second."""
        if steady_time() - self._swept_at < _SWEEP_SECONDS:
            return
        self._swept_at = steady_time()
        if self.store and self.is_shared:  # the others also know about requests
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
