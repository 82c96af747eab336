"""A sandbox on a socket, without a test, whose webhooks are sent in real time."""

import contextlib
import ipaddress
import os
import shlex
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from mock_server.control.door import control_app
from mock_server.control.tenants import Tenant, Tenants
from mock_server.relay_hub import RelayHub
from mock_server.serving.delivery_worker import DeliveryWorker, ServerFacts
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.text.redaction import redact
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.environment import client_environment
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.server import LiveServer

_OTHER_LOOPBACK = {"127.0.0.1": ("::1",), "localhost": ("::1",)}
"""``localhost`` is the one address for some clients and the other for others."""


class StandaloneSandbox:
    """One sandbox on one socket, and the requests for the sandboxes of connected tests.

    Args:
        options: The options of the sandbox.
        host: The address to listen on.
        port: The port; 0 for a free one.
        log: Gets a redacted line for each exchange and each webhook.
        allow: The ``host:port`` pairs on other machines that webhooks may be sent to.
        control_token: The bearer token of the control API; a fresh one by default.
        allow_hosts: Further names by which clients reach the sandbox, such as a compose service.

    Raises:
        OSError: The address is in use, or does not belong to this machine.
    """

    def __init__(
        self,
        options: Options,
        *,
        host: str,
        port: int,
        log: Callable[[str], None],
        allow: Collection[str] = (),
        control_token: str = "",
        allow_hosts: Collection[str] = (),
    ) -> None:
        self._log = log
        # A random name, so that credentials of an earlier run are refused.
        self.sandbox = Sandbox(options, name=os.urandom(16).hex())
        self.control_token: str = control_token or f"turris_sandbox_control_{os.urandom(32).hex()}"
        self._hub = RelayHub()
        self.tenants: Tenants = Tenants(self.sandbox)
        app = control_app(self._hub, self.tenants, self.control_token, asgi_app(self._answer), log)
        app = loopback_only(app, also=(host, *allow_hosts), on_refusal=log)
        self._server = LiveServer(
            app, tls=options.tls, host=host, port=port, also=_OTHER_LOOPBACK.get(host, ())
        )
        self._files = contextlib.ExitStack()
        self.ca_file = self._write_authority()
        self.tenants.server = ServerFacts(
            base_url=self.base_url,
            ca_file=self.ca_file,
            allow=tuple(allow),
            own_port=self._server.port,
        )
        self._worker = DeliveryWorker(log=log, watched=self.tenants.deliveries)

    @property
    def base_url(self) -> str:
        """The URL of the sandbox."""
        return self._server.base_url

    def environment(self) -> dict[str, str]:
        """Return the environment variables that a client needs, with values quoted for a shell."""
        variables = client_environment(self.sandbox, self.base_url, self.ca_file)
        return {name: shlex.quote(value) for name, value in variables.items()}

    def wait(self) -> None:
        """Block until the server stops. Ctrl-C raises KeyboardInterrupt as usual."""
        self._server.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hub.stop()
        self.tenants.is_closed = True
        self._worker.stop()
        self._server.stop()
        self._files.close()

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        """Answer at once, unless the request may be for the sandbox of a test."""
        if self._hub.tenants:
            return self._forward(request)
        if self.tenants.has_others and (tenant := self._own(request)):
            return self._handle(request, tenant)
        return self._handle(request, self.tenants.default)

    async def _forward(self, request: Request) -> Response:
        """Forward a request to the sandbox of a test if it is for one; else answer it here."""
        if own := self._own(request):
            return self._handle(request, own)
        tenant = self._hub.by_credential(request) or await self._hub.by_socket(request)
        if tenant is None:
            return self._handle(request, self.tenants.default)
        line = f"{request.method} {redact(request.path)}"
        try:
            response = await tenant.process.forward(request)
        except ConnectionFailure:
            self._log(f"{line} -> no answer  for {tenant.name}")
            raise
        self._log(f"{line} -> {response.status}  for {tenant.name}")
        return response

    def _own(self, request: Request) -> Tenant | None:
        """The sandbox of this server that issued the request's credential."""
        if any(map(self.sandbox.credentials.has, credentials := credentials_in(request))):
            return self.tenants.default
        return self.tenants.find(credentials)

    def _handle(self, request: Request, tenant: Tenant) -> Response:
        try:
            return tenant.handle(request)
        finally:
            # Only this thread answers: the last line is this exchange's. A journal may keep none.
            if line := tenant.sandbox.journal.last_line:
                is_default = tenant is self.tenants.default
                self._log(line if is_default else f"{line}  for {tenant.name}")

    def _write_authority(self) -> str | None:
        if self._server.authority is None:
            return None
        directory = self._files.enter_context(TemporaryDirectory(prefix="turris-"))
        path = Path(directory) / "ca.pem"
        self._server.authority.cert_pem.write_to_path(path)
        return str(path)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
