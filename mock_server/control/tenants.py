"""The sandboxes of a server: the default one, and further ones by name, apart from each other."""

from pytest_turris.core.outbox.network_faults import NetworkFaults
from pytest_turris.core.sandbox import Sandbox

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

    def __init__(self, default: Sandbox) -> None:
        self.default: Tenant = Tenant(DEFAULT, default)
        self.is_closed: bool = False
        """Whether the server stops: streams end then."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all sandboxes."""
        return (DEFAULT,)

    def get(self, name: str) -> Tenant | None:
        """The tenant of a name."""
        return self.default if name == DEFAULT else None
