"""A sandbox on a socket, without a test, whose webhooks are sent in real time."""

import contextlib
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from mock_server.control.door import control_app
from mock_server.control.tenant import ENTITY_ID
from mock_server.control.tenants import Tenants
from mock_server.page.door import page_app
from mock_server.page.sign_in import SignIn
from mock_server.relay_hub import RelayHub
from mock_server.serving.answers.answers import ServedAnswers
from mock_server.serving.bodies import bounded_bodies
from mock_server.serving.cors import behind_proxy, cors_advice, origin_of, with_cors
from mock_server.serving.delivery_worker import DeliveryWorker
from mock_server.serving.health import Health
from mock_server.serving.log import ServerLog
from mock_server.serving.server_facts import ServerFacts
from mock_server.store.errors import StoreError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.environment import client_environment
from pytest_turris.doors.sockets.asgi import App, Scope, asgi_app
from pytest_turris.doors.sockets.loopback import MISDIRECTED, loopback_only
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer
from pytest_turris.process.control_token import CONTROL_TOKEN

if TYPE_CHECKING:
    from mock_server.store.store import Store

_OTHER_LOOPBACK = {"127.0.0.1": ("::1",), "localhost": ("::1",)}
"""``localhost`` is one of these for some clients and the other for others."""

_NAME_ADVICE = "; to accept another name, start it with 'turris-sandbox serve --allow-host NAME'"


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where a standalone sandbox listens, and which clients may reach it.

    Args:
        host: The address to listen on.
        port: The port; 0 for a free one.
        allow: The ``host:port`` pairs on other machines that webhooks may be sent to.
        allow_hosts: Further names by which clients reach the sandbox, such as a compose service.
        cors_origins: The origins of browser applications that may use the API.
        public_url: The URL that clients use, if it is not that of the socket.
        control_token: The bearer token of the control API; a fresh one by default.
    """

    host: str = "127.0.0.1"
    port: int = 0
    allow: Collection[str] = ()
    allow_hosts: Collection[str] = ()
    cors_origins: Collection[str] = ()
    public_url: str = ""
    control_token: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names in ``Host`` that are accepted besides those of loopback."""
        own = (self.host, urlsplit(self.public_url).hostname)
        return (*(in_url(host) for host in own if host), *self.allow_hosts)


def in_url(host: str) -> str:
    """A host as clients write it in a URL: an address with brackets, a name in ASCII."""
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else host.encode("idna").decode()


class StandaloneSandbox:
    """One sandbox on one socket, and the requests for the sandboxes of connected tests.

    Args:
        sandbox: The sandbox.
        settings: Where it listens.
        log: Gets a redacted line for each exchange and each webhook.
        store: What keeps the sandbox, if anything does.

    Raises:
        OSError: The address is in use, or does not belong to this machine.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        settings: ServerSettings,
        log: ServerLog,
        store: "Store | None" = None,
    ) -> None:
        self._log = log.write
        self._warn = log.warn
        self._settings = settings
        self.sandbox = sandbox
        self.control_token: str = (
            settings.control_token
            or (store and store.control_token)
            or f"turris_sandbox_control_{os.urandom(32).hex()}"
        )
        self._hub = RelayHub()
        self.tenants: Tenants = Tenants(sandbox, store)
        self._answers = ServedAnswers(self.tenants, self._hub, settings.public_url, log)
        self._sign_in = SignIn(self.control_token)
        self._health = Health()
        options = sandbox.options
        self._server = LiveServer(
            self._guarded(log),
            tls=options.tls,
            host=settings.host,
            port=settings.port,
            also=_OTHER_LOOPBACK.get(settings.host, ()),
            # A proxy in front changes what a request says about itself.
            plain=None
            if settings.public_url
            else PlainAnswers(self._answers.answer, settings.names),
            on_refusal=log.warn,
            starts=False,
        )
        sandbox.base_url = self.base_url
        self._files = contextlib.ExitStack()
        self.ca_file = self._write_authority()
        self.tenants.server = ServerFacts(
            base_url=self.base_url,
            ca_file=self.ca_file,
            allow=tuple(settings.allow),
            own_port=self._server.port,
        )
        # Only then are the tenants and their credentials known: any answer before would be wrong.
        self.tenants.resume()
        self._server.start()
        self._worker = DeliveryWorker(log=log.write, watched=self.tenants.deliveries)

    def _guarded(self, log: ServerLog) -> App:
        """The application: health, the guards, the page, the control API, the sandbox."""
        settings = self._settings
        app = bounded_bodies(asgi_app(self._answers.answer), on_refusal=log.warn)
        app = control_app(self._hub, self.tenants, self.control_token, app, log.write)
        app = page_app(self.tenants, self._sign_in, app, log.write)
        public = origin_of(settings.public_url)
        app = loopback_only(
            app, also=settings.names, own=public, advice=_advice, on_refusal=log.warn
        )
        app = behind_proxy(app, public) if public else app
        if settings.cors_origins:
            app = with_cors(app, settings.cors_origins)
        return self._health.added_to(app)

    @property
    def base_url(self) -> str:
        """The URL of the sandbox, as its clients know it."""
        return self._settings.public_url or self._server.base_url

    def page_address(self) -> str:
        """Return a URL of the page, which signs in one browser, once."""
        return self._sign_in.address(self.base_url)

    def environment(self) -> dict[str, str]:
        """Return the environment variables that a client needs, and the control token."""
        return client_environment(self.sandbox, self.base_url, self.ca_file) | {
            CONTROL_TOKEN: self.control_token,
            ENTITY_ID: self.sandbox.upstream_entity_id,
        }

    def unsent(self) -> tuple[str, ...]:
        """Return a line for each webhook of any sandbox that no receiver has accepted yet."""
        try:
            return tuple(
                line if tenant is self.tenants.default else f"{line} for {tenant.name}"
                for tenant in self.tenants
                for line in tenant.unsent()
            )
        except StoreError as error:
            self._warn(str(error))
            return ()

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
        self._health.stopping = True
        # All begin to stop at the same time, because an orchestrator waits only some seconds.
        self._hub.stop()
        self._worker.begin_stop()
        self._server.begin_stop()
        self.tenants.is_closed = True
        self._worker.stop()
        self._server.stop()
        self._answers.stop()
        self._files.close()

    def _write_authority(self) -> str | None:
        if self._server.authority is None:
            return None
        from tempfile import TemporaryDirectory  # noqa: PLC0415 - only with TLS

        from pytest_turris.doors.authorities import trusted_file  # noqa: PLC0415 - only with TLS

        directory = self._files.enter_context(TemporaryDirectory(prefix="turris-"))
        return str(trusted_file(Path(directory), self._server.authority.cert_pem.bytes()))


def _advice(scope: Scope, status: int) -> str:
    """How to start the server, so that it accepts a request that was refused."""
    return _NAME_ADVICE if status == MISDIRECTED else cors_advice(scope)
