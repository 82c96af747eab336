"""Checks where a client of httpx sends to, as a URL is checked: it may have any base URL."""

from collections.abc import Collection
from typing import Any

from pytest_turris.receivers.egress import check_egress

_IN_PROCESS = frozenset(
    {
        *("ASGITransport", "WSGITransport", "MockTransport"),
        *("_TestClientTransport", "TestClientTransport"),  # of Starlette and of Litestar
    }
)

_ON_A_SOCKET = frozenset({"HTTPTransport", "AsyncHTTPTransport"})

_OF_TESTS = frozenset({"testserver", "test", "example", "invalid"})
"""Top-level names that no server has (RFC 6761), and that of test clients."""


def check_client_egress(
    client: Any,  # noqa: ANN401 - of httpx or of httpx2
    method: str,
    url: str,
    *,
    allow: Collection[str],
    own_port: int,
) -> None:
    """Raise EgressRefused if a client would send where a URL may not lead, or through such a proxy.

    The URL of a transport that answers in this process may be any. One that is not known, such as a
    test suite's own around an application, may also have a name for tests, such as ``http://test``.
    The client resolves a name itself, after this check.

    Args:
        client: The client.
        method: The request's method.
        url: The URL or path that the client is called with.
        allow: The ``host:port`` pairs outside this machine that it may send to.
        own_port: A port of this machine that it must not send to.
    """
    try:
        whole = client.build_request(method, url).url
    except Exception:  # noqa: BLE001 - then the client's own call fails too, and says why
        return
    transport = _transport_of(client, whole)
    names = {one.__name__ for one in type(transport).__mro__}
    if not whole.host or names & _IN_PROCESS:
        return
    if transport and not names & _ON_A_SOCKET and whole.host.rpartition(".")[2] in _OF_TESTS:
        return
    pool = getattr(transport, "_pool", None)
    if getattr(pool, "_uds", None):  # a socket of this machine, whatever the URL says
        return
    # Without user information, which the client sends as a header; the path says nothing of where.
    reached = [f"{whole.scheme}://{whole.netloc.decode('ascii')}/"]
    if proxy := getattr(pool, "_proxy_url", None):
        host = proxy.host.decode("ascii").strip("[]")
        port = proxy.port or (443 if proxy.scheme == b"https" else 80)
        reached.append(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
    for one in reached:
        check_egress(one, allow=allow, own_port=own_port, resolved_by_client=True)


def _transport_of(client: Any, url: Any) -> Any:  # noqa: ANN401 - of httpx or of httpx2
    """What the client sends to a URL with; None if this version of httpx does not tell it."""
    find = getattr(client, "_transport_for_url", None)  # nothing public tells it
    return find(url) if find else None
