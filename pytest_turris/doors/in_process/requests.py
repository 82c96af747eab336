"""The door for requests: a connection pool that leads to a sandbox.

The door replaces the method by which an adapter gets a connection. Everything above it is real
requests and urllib3: sessions, custom adapters, retries, timeouts, and the errors they become.
Mocks of ``responses`` and ``requests-mock`` work above that method, so while the door is open they
pass requests to Turris hosts on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cache, partial
from http.client import responses as reasons
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPHeaderDict, HTTPResponse, connection
from urllib3.exceptions import NewConnectionError

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request
from pytest_turris.doors.in_process.mocks import MocksStepAside
from pytest_turris.doors.in_process.sharing import (
    empty_answer,
    is_ours,
    timeout_message,
    yield_to_other_threads,
)
from pytest_turris.process.closing import close_all
from pytest_turris.process.patch import Patch

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection
else:
    # A cassette of vcrpy, while it is open, has a class there that is derived from urllib3's own.
    HTTPConnection = next(
        kind for kind in connection.HTTPConnection.__mro__ if kind.__module__ == connection.__name__
    )

_CONNECT = "get_connection_with_tls_context"
_INTERCEPT = "_on_request"
_READING = ("preload_content", "decode_content", "enforce_content_length")
"""What urllib3 says with a request about how its answer is read."""

_open: list[Handle] = []


def requests_door(handle: Handle) -> AbstractContextManager[None]:
    """Answer every session of requests while the context is open.

    Raises:
        AttributeError: urllib3 is not made as the door expects it.
        TypeError: The same.
    """
    _try_out()
    return _Door(handle)


class _Door(AbstractContextManager[None]):
    """Every test enters one: a generator takes longer, and so does an ``ExitStack``."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._opened: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        _open.insert(0, self._handle)
        try:
            for context in (_pools, MocksStepAside(_MOCKS)):
                context.__enter__()
                self._opened.append(context)
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        _open.remove(self._handle)
        close_all(self._opened)


def _connecting(connect: Callable[..., Any]) -> Callable[..., Any]:
    """An adapter's method that gets a connection: to the sandbox for Turris hosts."""

    def pool(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 - as the original
        if _open and is_ours(_host(request)):
            return SandboxPool(request, _open[0])
        return connect(adapter, request, *args, **kw)

    return pool


def _intercepting(intercept: Callable[..., Any]) -> Callable[..., Any]:
    """How a mock of ``responses`` answers: requests to Turris hosts are passed on."""

    def on_request(mock: Any, adapter: HTTPAdapter, request: Any, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 - as the original
        if _open and is_ours(_host(request)):
            return mock._real_send(adapter, request, *args, **kw)  # noqa: SLF001 - it has no other name
        return intercept(mock, adapter, request, *args, **kw)

    return on_request


_pools = Patch((HTTPAdapter, _CONNECT, _connecting))


@cache
def _patch_of_responses(responses: ModuleType) -> Patch:
    return Patch((responses.RequestsMock, _INTERCEPT, _intercepting))


@cache
def _patch_of_requests_mock(mocker: ModuleType) -> Patch:
    """How a mock of ``requests-mock`` sends: it leaves requests to Turris hosts to the session."""
    leave_it: type[Exception] = mocker.adapter._RunRealHTTP  # noqa: SLF001 - it has no other name

    def sending(send: Callable[..., Any]) -> Callable[..., Any]:
        def original_send(session: requests.Session, request: Any, *args: Any, **kw: Any) -> Any:  # noqa: ANN401 - as the original
            if _open and is_ours(_host(request)):
                raise leave_it
            return send(session, request, *args, **kw)

        return original_send

    return Patch((mocker, "_original_send", sending))


_MOCKS = {"responses": _patch_of_responses, "requests_mock.mocker": _patch_of_requests_mock}


def _host(request: requests.PreparedRequest) -> str:
    """Without the dot of a name that is fully qualified: urllib3 leaves it out, too."""
    return (urlsplit(request.url or "").hostname or "").rstrip(".")


class SandboxConnection(HTTPConnection):
    """A connection whose other end is a sandbox.

    urllib3 may be another package that took its place, as urllib3-future does, and calls these
    methods with more than they read.
    """

    is_closed = False

    def __init__(self, prepared: requests.PreparedRequest, handle: Handle, **kwargs: Any) -> None:  # noqa: ANN401 - urllib3's signature
        super().__init__(**kwargs)
        self._prepared = prepared
        self._handle = handle

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,  # noqa: ANN401 - text, bytes, a file or chunks of them
        headers: Any = None,  # noqa: ANN401 - a mapping
        **more: Any,  # noqa: ANN401 - how to read the answer, and what a later version adds
    ) -> None:
        """Take a request; ``getresponse`` lets the sandbox answer, when the timeout is known."""
        yield_to_other_threads()
        self._request = _translated(self._prepared, method, headers, body)
        self._read: Callable[..., HTTPResponse] = partial(
            HTTPResponse,
            request_method=method,
            request_url=url,
            **{name: more[name] for name in _READING if name in more},
        )

    def getresponse(self, *_: object, **__: object) -> HTTPResponse:  # type: ignore[override] # its stub has a base class of its own
        """The answer.

        Raises:
            TimeoutError: It took longer than the client waits.
            NewConnectionError: A scripted fault refused the connection.
            ConnectionResetError: A scripted fault broke it.
        """
        patience = self.timeout
        try:
            response = self._handle(replace(self._request, patience=patience))
        except ConnectionFailure as failure:
            if message := timeout_message(failure.delay, patience):
                raise TimeoutError(message) from None
            if failure.kind == "connect":
                raise NewConnectionError(self, str(failure)) from None
            raise ConnectionResetError(str(failure)) from None
        if message := timeout_message(response.delay, patience):
            raise TimeoutError(message)
        return self._read(
            _Body(response.body),
            HTTPHeaderDict(response.headers),
            response.status,
            version=11,
            reason=reasons.get(response.status),
        )


class SandboxPool(HTTPConnectionPool):
    """Connections for one request; urllib3 decides about retries as usual."""

    ConnectionCls = SandboxConnection

    def __init__(self, request: requests.PreparedRequest, handle: Handle) -> None:
        super().__init__(_host(request), prepared=request, handle=handle)

    def _validate_conn(self, conn: object) -> None:
        """There is nothing to connect to; urllib3-future would watch it in a thread, too."""


@cache
def _try_out() -> None:
    """Answer one request, so that a changed urllib3 shows before a test's own requests do."""
    request = requests.Request("GET", "https://example.invalid/").prepare()
    SandboxPool(request, empty_answer).urlopen("GET", "/", retries=False)


class _Body(BytesIO):
    """A body that reports its end, as that of a connection does: otherwise streams never end."""

    def isclosed(self) -> bool:
        """Whether nothing is left; urllib3 asks for it under this name."""
        return self.closed or self.tell() >= len(self.getbuffer())


def _translated(
    prepared: requests.PreparedRequest,
    method: str,
    headers: Any,  # noqa: ANN401 - a mapping
    body: Any,  # noqa: ANN401 - text, bytes, a file or chunks of them
) -> Request:
    path, _, query = prepared.path_url.partition("?")
    url = urlsplit(prepared.url or "")
    fields = [(_text(name).lower(), _text(value)) for name, value in headers.items()]
    if all(name != "host" for name, _ in fields):
        fields.insert(0, ("host", _host(prepared) + (f":{url.port}" if url.port else "")))
    return Request(
        method=method,
        path=path,
        query=query,
        headers=tuple(fields),
        body=_whole(body),
        scheme=url.scheme,
        host=_host(prepared),
    )


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _whole(body: Any) -> bytes:  # noqa: ANN401 - text, bytes, a file or chunks of them
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    chunks = [body.read()] if hasattr(body, "read") else body
    return b"".join(map(_whole, chunks))
