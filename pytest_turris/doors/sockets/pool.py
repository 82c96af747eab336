"""The servers of ``turris_server``: one socket for the session, one sandbox for each test."""

import contextlib
import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import TenantDirectory
from pytest_turris.doors.authorities import trusted_file
from pytest_turris.doors.environment import client_environment, no_proxy_for
from pytest_turris.doors.sockets.asgi import asgi_app
from pytest_turris.doors.sockets.loopback import loopback_only
from pytest_turris.doors.sockets.plain import PlainAnswers
from pytest_turris.doors.sockets.server import LiveServer, ServerError


@dataclass(frozen=True)
class Server:
    """A sandbox on a loopback socket."""

    base_url: str
    """Such as ``http://127.0.0.1:40123``; HTTPS with ``@pytest.mark.turris(tls=True)``."""

    sandbox: Sandbox
    """The sandbox that answers: the same as the fixture ``turris``."""

    ca_file: str | None = None
    """The certificate authority to trust, as a PEM file; None for plain HTTP."""

    _directory: Path | None = field(default=None, repr=False)
    """For files for child processes; None if ``ca_file`` has what they trusted before, too."""

    def environment(self) -> dict[str, str]:
        """The environment of a child process, for ``subprocess.run(..., env=...)``.

        It is that of this process, with the base URL, the credentials, and for HTTPS a file of
        authorities in the variables that OpenSSL, requests, curl and Node read: this server's,
        and those that were trusted before. Loopback is excepted from any proxy.
        """
        variables = client_environment(self.sandbox, self.base_url, self._file_for_children())
        return {**os.environ, **no_proxy_for(os.environ, self.base_url), **variables}

    def _file_for_children(self) -> str | None:
        if self.ca_file is None or self._directory is None:
            return self.ca_file
        return str(trusted_file(self._directory, Path(self.ca_file).read_bytes()))

    def client_context(self) -> ssl.SSLContext:
        """An SSL context that trusts this server and nothing else.

        Raises:
            ServerError: The server speaks plain HTTP.
        """
        if not self.base_url.startswith("https:"):
            raise ServerError(
                "this server speaks plain HTTP; for HTTPS use @pytest.mark.turris(tls=True)"
            )
        return ssl.create_default_context(cafile=self.ca_file)


class ServerPool:
    """The servers of a session, one for HTTP and one for HTTPS, each started when first needed."""

    def __init__(self) -> None:
        self._tenants = TenantDirectory()
        self._live: dict[bool, LiveServer] = {}
        self._files = contextlib.ExitStack()

    @contextlib.contextmanager
    def serve(self, sandbox: Sandbox) -> Iterator[Server]:
        """Let a sandbox answer on a socket while the context is open."""
        live = self._started(tls=sandbox.options.tls)
        self._tenants.add(sandbox)
        try:
            ca_file = self._ca_file(live)
            yield Server(live.base_url, sandbox, ca_file, self._directory if ca_file else None)
        finally:
            sandbox.faults.hang_up()
            self._tenants.remove(sandbox)

    def stop(self) -> None:
        """Stop the servers that were started."""
        for live in self._live.values():
            live.stop()
        self._files.close()

    def _started(self, *, tls: bool) -> LiveServer:
        if tls not in self._live:
            app = loopback_only(asgi_app(self._tenants.answer))
            self._live[tls] = LiveServer(app, tls=tls, plain=PlainAnswers(self._tenants.answer))
        return self._live[tls]

    def _ca_file(self, live: LiveServer) -> str | None:
        if live.authority is None:
            return None
        path = self._directory / "ca.pem"
        if not path.exists():
            live.authority.cert_pem.write_to_path(path)
        return str(path)

    @cached_property
    def _directory(self) -> Path:
        return Path(self._files.enter_context(TemporaryDirectory(prefix="turris-")))
