"""A sandbox on a socket of its own, outside any test, whose webhooks are sent in real time."""

import contextlib
import ipaddress
import os
import shlex
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from mock_server.control import control_app
from mock_server.delivery_worker import Postman
from mock_server.relay_hub import Relays
from pytest_turris.core.options import Options
from pytest_turris.core.redaction import redact
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.environment import client_environment
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.server import LiveServer


class StandaloneSandbox:
    """One sandbox, one socket; ``log`` gets a redacted line for each exchange and webhook."""

    def __init__(
        self,
        options: Options,
        *,
        host: str,
        port: int,
        log: Callable[[str], None],
        allow: Collection[str] = (),
        control_token: str = "",
    ) -> None:
        """Bind and serve; ``allow`` names each ``host:port`` elsewhere that webhooks may lead to.

        ``control_token`` is what the control API wants; by itself a fresh one.

        Raises:
            OSError: The address is taken or not this machine's.
        """
        self._log = log
        # Another name each time: credentials of an earlier run are refused.
        self.sandbox = Sandbox(options, name=os.urandom(16).hex())
        self.control_token: str = control_token or os.urandom(16).hex()
        self._relays = Relays()
        app = control_app(self._relays, self.control_token, asgi_app(self._answer), log)
        app = loopback_only(app, also=(host,))
        self._server = LiveServer(app, tls=options.tls, host=host, port=port)
        self._postman = Postman(self.sandbox, log=log, allow=allow, own_port=self._server.port)
        self._files = contextlib.ExitStack()
        self.ca_file = self._write_authority()

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return self._server.base_url

    def environment(self) -> dict[str, str]:
        """What a client needs, by the names of the environment variables, for a shell."""
        variables = client_environment(self.sandbox, self.base_url, self.ca_file)
        return {name: shlex.quote(value) for name, value in variables.items()}

    def wait(self) -> None:
        """Block until the server stops; Ctrl-C gets through."""
        self._server.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._relays.stop()
        self._postman.stop()
        self._server.stop()
        self._files.close()

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        """Answer at once, unless it may be for the sandbox of a test."""
        return self._hand_on(request) if self._relays.tenants else self._handle(request)

    async def _hand_on(self, request: Request) -> Response:
        """The sandbox of a test answers what is for it, this one everything else."""
        if any(map(self.sandbox.credentials.has, credentials_in(request))):
            return self._handle(request)
        tenant = self._relays.named_in(request) or await self._relays.behind(request)
        if tenant is None:
            return self._handle(request)
        told = f"{request.method} {redact(request.path)}"
        try:
            response = await tenant.relay.ask(request)
        except ConnectionFailure:
            self._log(f"{told} -> no answer  for {tenant.name}")
            raise
        self._log(f"{told} -> {response.status}  for {tenant.name}")
        return response

    def _handle(self, request: Request) -> Response:
        try:
            return self.sandbox.handle(request)
        finally:
            # Each exchange is recorded, and this thread alone answers; a journal may keep none.
            if line := self.sandbox.journal.last_line:
                self._log(line)

    def _write_authority(self) -> str | None:
        if self._server.authority is None:
            return None
        directory = self._files.enter_context(TemporaryDirectory(prefix="turris-"))
        path = Path(directory) / "ca.pem"
        self._server.authority.cert_pem.write_to_path(path)
        return str(path)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
