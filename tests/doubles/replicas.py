"""Replicas of a sandbox in this process: servers that share a store, called without a socket."""

import contextlib
from collections.abc import Iterator
from typing import Any

from doubles.sandbox_client import Client
from doubles.served_here import KeptLog
from mock_server.control.control import ControlCall
from mock_server.control.execution import execute
from mock_server.control.table import CONTROLS
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response


class Replica(Client):
    """One server, and a client of its default sandbox."""

    def __init__(self, url: str, options: Options, *, lease: float = 60.0) -> None:
        self.log: list[str] = []
        self.store = Store.open(url, self.log.append, lease=lease)
        with contextlib.ExitStack() as opened:
            opened.callback(self.store.close)
            sandbox = Sandbox(options)
            self.store.attach(sandbox, "default")
            settings, log = ServerSettings(), KeptLog(self.log)
            self.server = StandaloneSandbox(sandbox, settings, log, self.store)
            super().__init__(sandbox)
            opened.pop_all()

    def control(self, name: str, /, tenant: str = "default", **members: Any) -> Any:  # noqa: ANN401 - JSON
        """Execute a control, as the control API does."""
        found = self.server.tenants.get(tenant)
        assert found is not None, tenant
        call = ControlCall(tenant=found, tenants=self.server.tenants)
        return execute(CONTROLS[name], call, members)

    def answer(self, request: Request) -> Response:
        """Answer a request as the server does, whichever tenant it is for."""
        return self.server._answers._answer_alone(request)

    def close(self) -> None:
        """Stop it in order."""
        self.server.__exit__(None, None, None)
        self.store.close()


class RoutedClient(Client):
    """A client of one server, which finds the tenant of each request itself."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica.sandbox)
        self.handle = replica.answer


@contextlib.contextmanager
def replicas(
    url: str, count: int = 2, options: Options | None = None, *, lease: float = 60.0
) -> Iterator[list[Replica]]:
    """Several replicas of one sandbox; the first has a token."""
    found: list[Replica] = []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            replica = Replica(url, options or Options(), lease=lease)
            stack.callback(replica.close)
            found.append(replica)
        yield found
