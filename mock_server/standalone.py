"""A sandbox on a socket of its own, outside any test, whose webhooks are sent in real time."""

import contextlib
import ipaddress
import os
import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from mock_server.postman import Postman
from pytest_turris.core.messages import Request, Response
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.asgi import asgi_app
from pytest_turris.doors.environment import way_to
from pytest_turris.doors.live import LiveServer
from pytest_turris.doors.loopback import loopback_only


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
    ) -> None:
        """Bind and serve; ``allow`` names each ``host:port`` elsewhere that webhooks may lead to.

        Raises:
            OSError: The address is taken or not this machine's.
        """
        self._log = log
        # Another name each time: credentials of an earlier run are refused.
        self.sandbox = Sandbox(options, name=os.urandom(16).hex())
        app = loopback_only(asgi_app(self._handle), also=(host,))
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
        variables = way_to(self.sandbox, self.base_url, self.ca_file)
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
        self._postman.stop()
        self._server.stop()
        self._files.close()

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
