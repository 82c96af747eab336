"""The httpx door next to other mocks: it answers Turris hosts and leaves the rest alone."""

import asyncio
import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

import httpcore
import httpx
import pytest
import respx
from doubles.doors.clients import NO_VERIFY
from respx.mocks import HTTPCoreMocker

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.tenants import TenantDirectory
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.doors.in_process.httpx import httpx_door

OTHER = "https://api.partner.example/ping"

Get = Callable[[str], httpx.Response]


def get_sync(url: str) -> httpx.Response:
    """A request of a sync client."""
    with httpx.Client(verify=NO_VERIFY) as client:
        return client.get(url)


def get_async(url: str) -> httpx.Response:
    """A request of an async client."""

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(verify=NO_VERIFY) as client:
            return await client.get(url)

    return asyncio.run(get())


@pytest.fixture(params=[get_sync, get_async], ids=["sync", "async"])
def get(request: pytest.FixtureRequest) -> Get:
    """Sends a GET request with either kind of client."""
    found: Get = request.param
    return found


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox without a door."""
    return Sandbox()


@pytest.fixture
def door(sandbox: Sandbox) -> Iterator[None]:
    """The door to that sandbox, open."""
    with httpx_door(sandbox.handle):
        yield


@pytest.fixture(scope="session")
def neighbour() -> Iterator[str]:
    """An unrelated server on loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "9")
            self.end_headers()
            self.wfile.write(b"neighbour")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def is_turris(answer: httpx.Response) -> bool:
    """Whether a sandbox answered."""
    return "keys" in answer.json()


def jwks(environment: str = "sandbox") -> str:
    """A URL that any sandbox answers without a credential."""
    host = HOSTS["production" if environment == "production" else "sandbox"]
    return f"https://{host}/.well-known/jwks.json"


@pytest.mark.parametrize("environment", ["sandbox", "production"])
@pytest.mark.usefixtures("door")
def test_both_hosts_are_answered(sandbox: Sandbox, get: Get, environment: str) -> None:
    """The sandbox answers on both hosts and knows which environment was meant."""
    assert is_turris(get(jwks(environment)))
    assert sandbox.journal[-1].environment == environment


@pytest.mark.usefixtures("door")
def test_host_is_found_in_any_spelling(get: Get) -> None:
    """Case and an explicit port do not lead past the door."""
    assert is_turris(get(jwks().replace("public", "PUBLIC").replace(".com/", ".com:443/")))


@pytest.mark.usefixtures("door")
def test_plain_http_is_refused(sandbox: Sandbox, get: Get) -> None:
    """``http://`` to a Turris host is a 403, unless the option lets it pass."""
    url = jwks().replace("https", "http")
    assert get(url).status_code == 403
    with httpx_door(Sandbox(Options(allow_plain_http=True)).handle):
        assert is_turris(get(url))


@respx.mock
@pytest.mark.usefixtures("door")
def test_mock_inside_the_door(get: Get) -> None:
    """A respx mock that begins later answers for its hosts, not for Turris."""
    respx.get(OTHER).respond(text="pong")
    assert get(OTHER).text == "pong"
    assert is_turris(get(jwks()))


def test_mock_outside_the_door(sandbox: Sandbox, get: Get) -> None:
    """A respx mock that began earlier goes on answering for its hosts."""
    with respx.mock:
        route = respx.get(OTHER).respond(text="pong")
        with httpx_door(sandbox.handle):
            assert get(OTHER).text == "pong"
            assert is_turris(get(jwks()))
        assert get(OTHER).text == "pong"
        assert route.call_count == 2


@pytest.mark.usefixtures("door")
def test_respx_fixture_works(get: Get, respx_mock: respx.MockRouter) -> None:
    """The fixture of respx's own plugin works next to the door."""
    respx_mock.get(OTHER).respond(text="pong")
    assert get(OTHER).text == "pong"
    assert is_turris(get(jwks()))


@pytest.mark.usefixtures("door")
def test_uncalled_route_of_the_user_still_fails(get: Get) -> None:
    """``assert_all_called`` counts the user's routes alone, and all of them."""
    mock = respx.mock(assert_all_called=True)
    mock.get(OTHER).respond()
    mock.start()
    get(jwks())
    with pytest.raises(AssertionError, match="some routes were not called"):
        mock.stop()


@pytest.mark.usefixtures("door")
def test_unmocked_host_fails_under_a_strict_mock(get: Get) -> None:
    """While the user mocks strictly, a host without a route is still respx's error."""
    with respx.mock, pytest.raises(AssertionError, match="not mocked"):
        get(OTHER)


@pytest.mark.usefixtures("door")
def test_lenient_mock_does_not_answer_for_turris(sandbox: Sandbox, get: Get) -> None:
    """``assert_all_mocked=False`` answers everything with 200, except Turris."""
    with respx.mock(assert_all_mocked=False):
        assert get(OTHER).content == b""
        assert is_turris(get(jwks()))
    assert len(sandbox.journal) == 1


@pytest.mark.usefixtures("door")
def test_turris_is_ours_even_if_the_user_mocks_it(get: Get) -> None:
    """A user's route for a Turris host never hides the sandbox."""
    with respx.mock(assert_all_called=False) as mock:
        route = mock.get(jwks()).respond(500)
        assert is_turris(get(jwks()))
    assert not route.called


@pytest.mark.usefixtures("door")
def test_side_effects_of_the_user_arrive(get: Get) -> None:
    """An error that the user's mock raises is the client's error."""
    with respx.mock as mock:
        mock.get(OTHER).mock(side_effect=httpx.ConnectTimeout)
        with pytest.raises(httpx.ConnectTimeout):
            get(OTHER)


@pytest.mark.usefixtures("door")
def test_loopback_passes_through(get: Get, neighbour: str) -> None:
    """A server on loopback is reached, with and without a respx mock."""
    assert get(neighbour).text == "neighbour"
    with respx.mock:
        assert get(neighbour).text == "neighbour"
        respx.get(neighbour).respond(text="mocked")
        assert get(neighbour).text == "mocked"


@pytest.mark.usefixtures("door")
def test_other_hosts_pass_through(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without a mock is looked up as usual."""
    looked_up: list[object] = []

    def refuse(host: object, *args: object, **kwargs: object) -> None:
        looked_up.append(host)
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(httpx.ConnectError):
        get(OTHER)
    assert looked_up in (["api.partner.example"], [b"api.partner.example"])


def test_two_sandboxes_answer_two_threads() -> None:
    """Behind one door each client reaches the sandbox that issued its credential."""
    sandboxes = [Sandbox(name=name) for name in ("one", "two")]
    tenants = TenantDirectory()
    seen: dict[str, int] = {}

    def work(sandbox: Sandbox) -> None:
        auth = {"Authorization": f"Bearer {sandbox.tokens.issue(sandbox.client).text}"}
        with httpx.Client(base_url=sandbox.base_url, headers=auth, verify=NO_VERIFY) as client:
            statuses = {client.get("/v1/agents").status_code for _ in range(20)}
        assert statuses == {200}
        seen[sandbox.client.client_id] = len(sandbox.journal)

    for sandbox in sandboxes:
        tenants.add(sandbox)
    with httpx_door(tenants.handle):
        threads = [threading.Thread(target=work, args=[sandbox]) for sandbox in sandboxes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert seen == {sandbox.client.client_id: 20 for sandbox in sandboxes}


def test_newest_door_answers(sandbox: Sandbox, get: Get) -> None:
    """Of two open doors the inner one answers, and the outer one after it."""
    inner = Sandbox()
    with httpx_door(sandbox.handle):
        with httpx_door(inner.handle):
            get(jwks())
        get(jwks())
    assert (len(inner.journal), len(sandbox.journal)) == (1, 1)


@pytest.mark.usefixtures("door")
def test_slow_answer_is_a_read_timeout(sandbox: Sandbox) -> None:
    """A scripted delay beyond the client's timeout is a ReadTimeout; nothing sleeps."""
    sandbox.faults.add("jwks", delay=30, times=2)
    before = sandbox.clock.now()
    with pytest.raises(httpx.ReadTimeout, match="waits 5"):
        httpx.get(jwks(), timeout=5, verify=NO_VERIFY)
    assert is_turris(httpx.get(jwks(), timeout=31, verify=NO_VERIFY))
    assert 35 <= (sandbox.clock.now() - before).total_seconds() < 40  # five of the first thirty


@pytest.mark.usefixtures("door")
def test_client_without_timeout_waits(sandbox: Sandbox) -> None:
    """A client without a timeout gets the answer, however late."""
    sandbox.faults.add("jwks", delay=3_600)
    assert is_turris(httpx.get(jwks(), timeout=None, verify=NO_VERIFY))  # noqa: S113 - the point


@pytest.mark.parametrize(("kind", "error"), [("connect", "ConnectError"), ("reset", "ReadError")])
@pytest.mark.usefixtures("door")
def test_broken_connection_is_httpx_own_error(
    sandbox: Sandbox, get: Get, kind: str, error: str
) -> None:
    """``connect`` and ``reset`` are the errors that httpx raises for them, request included."""
    sandbox.faults.add("jwks", error="connect" if kind == "connect" else "reset")
    with pytest.raises(getattr(httpx, error)) as caught:
        get(jwks())
    assert caught.value.request.url.host == HOSTS["sandbox"]


PATCHABLE = (
    httpx.Client,
    httpx.AsyncClient,
    httpx.HTTPTransport,
    httpx.AsyncHTTPTransport,
    httpcore.ConnectionPool,
    httpcore.AsyncConnectionPool,
    httpcore.HTTPConnection,
    httpcore.AsyncHTTPConnection,
)


def patched() -> list[dict[str, object]]:
    """Everything that a mock could replace."""
    return [dict(vars(owner)) for owner in PATCHABLE]


def test_nothing_stays_patched(sandbox: Sandbox) -> None:
    """When the last door closes, httpx and httpcore are as they were, also after an error."""
    before = patched()
    with contextlib.suppress(ZeroDivisionError), httpx_door(sandbox.handle):
        assert patched() != before
        raise ZeroDivisionError
    assert patched() == before
    assert HTTPCoreMocker.routers == []


def test_patches_of_others_are_kept(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replacement of httpx's transport by another library still answers its hosts."""

    def theirs(_: object, request: httpx.Request) -> httpx.Response:
        return httpx.Response(418, request=request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", theirs)
    with httpx_door(sandbox.handle):
        assert get_sync(OTHER).status_code == 418
        assert is_turris(get_sync(jwks()))
    assert httpx.HTTPTransport.handle_request is theirs
    assert get_sync(OTHER).status_code == 418


def test_method_kept_past_the_door_leads_to_the_network(
    sandbox: Sandbox, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library that restores the door's methods too late does not leave a closed door behind."""

    def answer(*_: object) -> httpx.Response:
        return httpx.Response(418)

    async def answer_later(*_: object) -> httpx.Response:
        return httpx.Response(418)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer_later)
    with httpx_door(sandbox.handle):
        kept = vars(httpx.HTTPTransport)["handle_request"]
        kept_async = vars(httpx.AsyncHTTPTransport)["handle_async_request"]
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", kept)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", kept_async)
    assert get(f"https://{HOSTS['sandbox']}/v1/agents").status_code == 418
