"""Taps where a client library sends to another host: a test may answer it without a socket."""

import sys
from collections.abc import Callable
from typing import Any

from pytest_turris.audit.leaks.traces import Note
from pytest_turris.core.wire.hosts import LOOPBACK_HOSTS, is_decoy, is_turris
from pytest_turris.process.patch import Replacement

LIBRARIES = ("httpx", "httpx2", "requests")
_IN_PROCESS = frozenset({"ASGITransport", "WSGITransport", "_TestClientTransport"})
"""Transports of httpx and Starlette that lead to an application of this process."""
_MOCKER = "requests_mock.mocker"
_SEND = "_original_send"


def sending_taps(library: str, note: Note) -> list[Replacement]:
    """Replacements in a library that is loaded; they note what is sent to other hosts."""
    module = sys.modules[library]

    def keep(client: Any, request: Any) -> None:  # noqa: ANN401 - of any of the libraries
        host, body = _host_and_body(request)
        known = is_turris(host) or is_decoy(host) or host in LOOPBACK_HOSTS
        if not known and not _stays_here(client, request):
            fields = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
            note("LK-08", f"{request.url}\n{fields}\n{body}", name=host[:80])

    def sync(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(client: Any, request: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the original
            keep(client, request)
            return original(client, request, *args, **options)

        return send

    def coroutine(original: Callable[..., Any]) -> Callable[..., Any]:
        async def send(client: Any, request: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the original
            keep(client, request)
            return await original(client, request, *args, **options)

        return send

    if library == "requests":
        # A mock's own method takes the place of the session's, and sends by what it imported.
        mocker = sys.modules.get(_MOCKER)
        of_mock = [(mocker, _SEND, sync)] if hasattr(mocker, _SEND) else []
        return [(module.Session, "send", sync), *of_mock]
    return [(module.Client, "send", sync), (module.AsyncClient, "send", coroutine)]


def _host_and_body(request: Any) -> tuple[str, str]:  # noqa: ANN401 - a request of any of the libraries
    """Of a request of httpx or of requests; a stream is not read, as it can be sent once."""
    if hasattr(request.url, "host"):
        return str(request.url.host), _text(getattr(request, "_content", b""))
    from urllib.parse import urlsplit  # noqa: PLC0415 - loaded by requests

    return urlsplit(request.url or "").hostname or "", _text(request.body)


def _stays_here(client: Any, request: Any) -> bool:  # noqa: ANN401 - of any of the libraries
    choose = getattr(client, "_transport_for_url", None)
    return choose is not None and type(choose(request.url)).__name__ in _IN_PROCESS


def _text(body: object) -> str:
    return body.decode("latin-1") if isinstance(body, bytes) else str(body or "")
