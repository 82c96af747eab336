"""The sandboxes of a server: the default one, and further ones by name, apart from each other."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.sandbox import Sandbox

if TYPE_CHECKING:
    from mock_server.store.kept_sandbox import KeptSandbox
    from mock_server.store.store import Store

DEFAULT = "default"
"""The name of the sandbox whose credentials the server prints."""


class Tenant:
    """One sandbox of the server, with its name.

    Args:
        name: Its name.
        sandbox: The sandbox, as it is at its start.
    """

    def __init__(self, name: str, sandbox: Sandbox) -> None:
        self.name: str = name
        self.sandbox: Sandbox = sandbox
        self._initial = sandbox.snapshot()
        self.kept: KeptSandbox | None = None
        """Its state in the store of the server, if there is one."""

    def step(self, what: str) -> AbstractContextManager[object]:
        """A block, under the lock of the sandbox, that is one step of this name in its history."""
        return self.kept.step(what) if self.kept else self.sandbox.lock

    def reset(self) -> None:
        """Become what the sandbox was at its start."""
        sandbox = self.sandbox
        sandbox.faults.hang_up()
        sandbox.restore(self._initial)
        sandbox.outbox.network_faults = NetworkFaults()
        sandbox.expect_since(0)


class Tenants:
    """All sandboxes of the server by name.

    Args:
        default: The sandbox whose credentials the server prints.
    """

    def __init__(self, default: Sandbox, store: "Store | None" = None) -> None:
        self.default: Tenant = Tenant(DEFAULT, default)
        self.store: Store | None = store
        """What keeps them, if anything does."""
        if store:
            self.default.kept = store.kept(DEFAULT)
        self.is_closed: bool = False
        """Whether the server stops: streams end then."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all sandboxes."""
        return (DEFAULT,)

    def get(self, name: str) -> Tenant | None:
        """The tenant of a name."""
        return self.default if name == DEFAULT else None
