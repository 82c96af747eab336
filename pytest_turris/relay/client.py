"""The client side of ``--turris-url``: answers requests that a shared server forwards.

The server cannot open connections to this process, so this process reads its requests as lines of
one long response, and posts the answers to the control API. The sandbox stays in the process of the
test, with all objects that the test holds.
"""

import contextlib
import http.client
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from pytest_turris.core.faults.hostile.raw import RawAnswer, RawPart
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import TenantDirectory
from pytest_turris.core.text.redaction import Secret
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import encode
from pytest_turris.process.control_token import without_control_token
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.process.tls_mistakes import tls_mistake
from pytest_turris.relay.own_sockets import has_socket
from pytest_turris.relay.protocol import (
    PROTOCOL,
    RELAYS,
    RelayMessage,
    decode_request,
    encode_answer,
    encode_part,
    fingerprint,
)

_TIMEOUT = 10.0
_SHORT_TIMEOUT = 1.0
"""For a server that did not answer before, or whose answer changes nothing."""

_STEP = 0.1
_START_SECONDS = 10.0
"""How long to wait for a server that is still starting."""

_START_PAUSE = 0.1
_SUCCESS = range(200, 300)
_AFTER_ERROR = {"failure": "reset", "mine": False, "stopped": True}
"""Ends a call of any kind after an error in this process."""


class RelayError(RuntimeError):
    """The server does not answer, or refuses to forward requests."""


class NothingListensError(RelayError):
    """Nothing listens at the server's address: it may still be starting."""


class Relay:
    """This process at a shared server, until ``stop``."""

    def __init__(
        self, url: str, token: str, *, workers: int, context: ssl.SSLContext | None
    ) -> None:
        """Introduce this process, one of the processes that run tests of the same suite.

        Raises:
            RelayError: No such server, another token, or another version.
        """
        self._url = url
        self._token = Secret(token)
        self._context = context
        self._is_over = False
        self._has_hung = False
        self._tenants = TenantDirectory()
        self._keys = itertools.count(1)
        self._raw_streams: dict[int, _RawStream] = {}
        opened = self._open({"protocol": PROTOCOL, "workers": workers})
        self.id: str = opened["relay"]
        self._path = f"{RELAYS}/{self.id}"
        self._line_connection = self._connection(None)
        self._lines = self._request(self._line_connection, "GET", f"{self._path}/lines")
        self._listener = threading.Thread(target=self._listen, name="turris-relay", daemon=True)
        self._listener.start()

    @contextlib.contextmanager
    def serve(self, sandbox: Sandbox, name: str) -> Iterator[None]:
        """Let a sandbox answer its requests to the server, while the context is open.

        Raises:
            RelayError: The server went away.
        """
        path = f"{self._path}/tenants/{next(self._keys)}"

        def announce(*credentials: str) -> None:
            known = [fingerprint(credential) for credential in credentials]
            self._call("PUT", path, {"name": name, "fingerprints": known})

        self._tenants.add(sandbox)
        sandbox.credentials.on_issue = announce
        try:
            announce(*sandbox.credentials.issued)
            yield
        finally:
            sandbox.credentials.on_issue = None
            sandbox.faults.hang_up()
            self._tenants.remove(sandbox)
            self._call("DELETE", path)

    def _open(self, introduction: RelayMessage) -> Any:  # noqa: ANN401 - a JSON object
        """Introduce this process to the server, which may still be starting."""
        end = steady_time() + _START_SECONDS
        while True:
            try:
                return self._call("POST", RELAYS, introduction)
            except NothingListensError:
                if steady_time() >= end:
                    raise
                # Tests may patch sleeps, so this waits for an event that is never set.
                threading.Event().wait(_START_PAUSE)

    def hurry(self) -> None:
        """Wait for the server for a short time only from now on: the run is over."""
        self._is_over = True

    def stop(self) -> None:
        """Disconnect; the server forgets this process."""
        # Closing a stream that another thread reads would wait for that thread.
        sock = self._line_connection.sock  # None if the server closed the connection
        with contextlib.suppress(OSError):
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.join(_TIMEOUT)

    def _listen(self) -> None:
        # It ends when either side disconnects.
        broken = contextlib.suppress(OSError, ValueError, http.client.HTTPException)
        with contextlib.closing(self._line_connection), contextlib.closing(self._lines), broken:
            for line in self._lines:
                # Each in a thread of its own: one answer may wait for another's request.
                threading.Thread(
                    target=self._process_line, args=(from_json(line),), daemon=True
                ).start()

    def _process_line(self, message: RelayMessage) -> None:
        number = message["number"]
        with contextlib.suppress(RelayError):  # the server went away, and its clients with it
            try:
                answer = self._answer(message["what"], number, message)
            except BaseException:
                self._reply(number, _AFTER_ERROR)  # otherwise the client would wait forever
                raise
            self._reply(number, answer)

    def _answer(self, what: str, number: int, message: RelayMessage) -> RelayMessage:
        match what:
            case "exchange":
                return self._exchange(number, message["request"])
            case "owns_socket":
                return {"mine": has_socket(message["host"], message["port"])}
            case "next_part":
                return self._raw_streams[number].go_on()
            case _:
                ended = self._raw_streams.pop(number).answer
                ended.exhausted = message["exhausted"]
                ended.close()
                return {}

    def _exchange(self, number: int, message: RelayMessage) -> RelayMessage:
        try:
            return encode_answer(self._tenants.answer(decode_request(message)))
        except RawAnswer as answer:
            self._raw_streams[number] = _RawStream(answer)
            return {"raw": answer.max_seconds}
        except ConnectionFailure as failure:
            return {"failure": failure.kind}

    def _reply(self, number: int, message: RelayMessage) -> None:
        self._call("POST", f"{self._path}/exchanges/{number}", message)

    def _call(self, method: str, path: str, document: RelayMessage | None = None) -> Any:  # noqa: ANN401 - any JSON value
        with contextlib.closing(self._connection(self._timeout())) as connection:
            response = self._request(connection, method, path, document)
            try:
                body = response.read()
                return from_json(body) if body else None
            except (OSError, http.client.HTTPException, ValueError) as error:
                said = without_control_token(str(error), self._token)
                raise RelayError(f"the answer of {self._url} broke off: {said}") from None

    def _request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        document: RelayMessage | None = None,
    ) -> http.client.HTTPResponse:
        body = None if document is None else encode(document)
        try:
            connection.request(method, path, body=body, headers=self._headers())
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            # Without its cause: pytest's --showlocals would show the headers in that traceback.
            kind = NothingListensError if isinstance(error, ConnectionRefusedError) else RelayError
            # A server that hangs would take as long each time.
            self._has_hung = isinstance(error, TimeoutError)
            why = tls_mistake(error, self._url) or f"nothing answers at {self._url}: {error}"
            raise kind(without_control_token(why, self._token)) from None
        self._has_hung = False
        if response.status not in _SUCCESS:
            said = without_control_token(_words(response), self._token)
            raise RelayError(f"{self._url} answered {response.status}: {said}")
        return response

    def _timeout(self) -> float:
        return _SHORT_TIMEOUT if self._is_over or self._has_hung else _TIMEOUT

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        address = urlsplit(self._url)
        host, port = address.hostname or "", address.port
        if self._context:
            return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=timeout)


class _RawStream:
    """A raw answer that is being written by the server, part by part."""

    def __init__(self, answer: RawAnswer) -> None:
        self.answer: RawAnswer = answer
        self._parts = answer.parts()
        self._pause = 0.0

    def go_on(self) -> RelayMessage:
        """The next part, unless the test has ended. A pause is cut into short steps."""
        return {"stopped": True} if self.answer.stopped else encode_part(self._next())

    def _next(self) -> RawPart | None:
        if self._pause <= 0:
            part = next(self._parts, None)
            if not isinstance(part, float | int):
                return part
            self._pause = float(part)
        step = min(self._pause, _STEP)
        self._pause -= step
        return step


def _words(response: http.client.HTTPResponse) -> str:
    try:
        return "; ".join(from_json(response.read())["errorMessage"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return "it is not a turris-sandbox, or is another version"
