"""The requests door: sessions, adapters, retries, redirects, next to mocks."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests
import responses
from doubles.doors import mocker_like
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pytest_turris import TurrisKitWarning
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import HOSTS
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.doors.in_process.requests import requests_door

JWKS = f"https://{HOSTS['sandbox']}/.well-known/jwks.json"
OTHER = "https://api.partner.example/ping"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with the door open."""
    sandbox = Sandbox()
    with requests_door(sandbox.handle):
        yield sandbox


def session_with(adapter: HTTPAdapter) -> requests.Session:
    """A session that sends everything through an adapter."""
    session = requests.Session()
    session.mount("https://", adapter)
    return session


def statuses(sandbox: Sandbox) -> list[int]:
    """The outcome of each request."""
    return [exchange.status for exchange in sandbox.journal]


def test_retries_of_an_answer(sandbox: Sandbox) -> None:
    """``Retry(status_forcelist=...)`` asks again as often as it is configured, then gives up."""
    sandbox.faults.add("jwks", status=503, times=5)
    retry = Retry(2, status_forcelist=[503], backoff_factor=0)
    with session_with(HTTPAdapter(max_retries=retry)) as session:
        with pytest.raises(requests.exceptions.RetryError):
            session.get(JWKS, timeout=5)
        assert statuses(sandbox) == [503] * 3
        assert session.get(JWKS, timeout=5).status_code == 200


@pytest.mark.parametrize("kind", ["connect", "reset", "slow"])
def test_retries_of_a_failure(sandbox: Sandbox, kind: str) -> None:
    """A connection that is refused, breaks or is late is tried again by urllib3's own rules."""
    match kind:
        case "slow":
            sandbox.faults.add("jwks", delay=30)
        case _:
            sandbox.faults.add("jwks", error="connect" if kind == "connect" else "reset")
    with session_with(HTTPAdapter(max_retries=Retry(1, backoff_factor=0))) as session:
        assert session.get(JWKS, timeout=5).status_code == 200
    assert len(sandbox.journal) == 2


def test_without_retries_it_fails_at_once(sandbox: Sandbox) -> None:
    """The default adapter tries once."""
    sandbox.faults.add("jwks", error="connect")
    with pytest.raises(requests.ConnectionError):
        requests.get(JWKS, timeout=5)
    assert len(sandbox.journal) == 1


def test_custom_adapter_has_its_say(sandbox: Sandbox) -> None:
    """What an adapter of the user does before and after sending happens."""

    class Own(HTTPAdapter):
        def add_headers(self, request: requests.PreparedRequest, **kwargs: object) -> None:
            request.headers["X-Trace"] = "own"

        def send(
            self,
            request: requests.PreparedRequest,
            *args: Any,  # noqa: ANN401 - as the original
            **kwargs: Any,  # noqa: ANN401 - as the original
        ) -> requests.Response:
            answer = super().send(request, *args, **kwargs)
            answer.headers["X-Seen"] = "yes"
            return answer

    with session_with(Own()) as session:
        assert session.get(JWKS, timeout=5).headers["X-Seen"] == "yes"
    assert sandbox.journal[-1].request_headers["x-trace"] == "own"


def test_session_state_hooks_and_elapsed(sandbox: Sandbox) -> None:
    """Session headers are sent, hooks run, and an answer knows how long it took."""
    seen: list[int] = []
    with requests.Session() as session:
        session.headers["X-Trace"] = "session"
        session.hooks["response"].append(lambda answer, **_: seen.append(answer.status_code))
        answer = session.get(JWKS, timeout=(5, 5))
    assert seen == [200]
    assert answer.reason == "OK"
    assert answer.elapsed.total_seconds() >= 0
    assert sandbox.journal[-1].request_headers["x-trace"] == "session"


def test_redirect_is_followed(sandbox: Sandbox) -> None:
    """A redirect leads to the next request, unless the caller forbids it."""
    moved = Response(status=307, headers=(("location", "/v1/agents"),))

    def answer(request: Request) -> Response:
        return moved if request.path.endswith("jwks.json") else sandbox.handle(request)

    with requests_door(answer):
        assert requests.get(JWKS, timeout=5, allow_redirects=False).status_code == 307
        found = requests.get(JWKS, timeout=5)
    assert (found.status_code, [earlier.status_code for earlier in found.history]) == (401, [307])


def test_proxy_of_the_environment_is_not_asked(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a proxy configured, a Turris host is still answered in process."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert requests.get(JWKS, timeout=5).status_code == 200


@responses.activate
def test_mock_inside_the_door(sandbox: Sandbox) -> None:
    """A mock that begins later answers for its hosts, not for Turris."""
    responses.get(OTHER, body="pong")
    assert requests.get(OTHER, timeout=5).text == "pong"
    assert "keys" in requests.get(JWKS, timeout=5).json()


def test_mock_outside_the_door() -> None:
    """A mock that began earlier goes on answering for its hosts, and counts only those."""
    with responses.RequestsMock() as mock:
        mock.get(OTHER, body="pong")
        with requests_door(Sandbox().handle):
            assert "keys" in requests.get(JWKS, timeout=5).json()
            assert requests.get(OTHER, timeout=5).text == "pong"
        assert len(mock.calls) == 1
        with pytest.raises(requests.ConnectionError, match="refused by Responses"):
            requests.get(JWKS, timeout=5)


@pytest.mark.usefixtures("sandbox")
def test_strict_mock_refuses_other_hosts() -> None:
    """While the user mocks, a host without a route is still that mock's error."""
    with responses.RequestsMock(), pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(OTHER, timeout=5)


@responses.activate
def test_retries_beside_a_mock(sandbox: Sandbox) -> None:
    """A mock that is active changes nothing for Turris: urllib3's retries are still its own."""
    sandbox.faults.add("jwks", error="connect")
    with session_with(HTTPAdapter(max_retries=Retry(1, backoff_factor=0))) as session:
        assert session.get(JWKS, timeout=5).status_code == 200


@pytest.fixture(params=["begins before the door", "begins after the door"])
def requests_mock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """A sandbox with the door open, and a mock like that of requests-mock."""
    monkeypatch.setitem(sys.modules, "requests_mock.mocker", mocker_like)
    sandbox = Sandbox()
    contexts = [mocker_like.Mocker({OTHER: "pong"}), requests_door(sandbox.handle)]
    if request.param == "begins after the door":
        contexts.reverse()
    with contexts[0], contexts[1]:
        yield sandbox


def test_mock_of_requests_mock_leaves_turris_to_the_door(requests_mock: Sandbox) -> None:
    """In either order, it answers for its hosts, and refuses others as usual."""
    assert requests.get(OTHER, timeout=5).text == "pong"
    assert "keys" in requests.get(JWKS, timeout=5).json()
    with requests.Session() as session:
        assert "keys" in session.get(JWKS, timeout=5).json()
    with pytest.raises(requests.ConnectionError, match="No mock address"):
        requests.get("https://unknown.example/", timeout=5)
    assert statuses(requests_mock) == [200, 200]


def test_retries_beside_a_mock_of_requests_mock(requests_mock: Sandbox) -> None:
    """The session's own adapter sends what the mock leaves to it."""
    requests_mock.faults.add("jwks", error="connect")
    with session_with(HTTPAdapter(max_retries=Retry(1, backoff_factor=0))) as session:
        assert session.get(JWKS, timeout=5).status_code == 200


@pytest.mark.parametrize("name", ["_original_send", "adapter"])
def test_mock_of_an_unknown_version_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """One sentence says what keeps requests from the sandbox; no import fails for that."""
    changed = ModuleType("requests_mock.mocker")
    vars(changed).update(vars(mocker_like))
    delattr(changed, name)
    monkeypatch.setitem(sys.modules, "requests_mock.mocker", changed)
    sandbox = Sandbox()
    told = pytest.warns(TurrisKitWarning, match=f"of requests_mock .*{name}.* use turris_server")
    with told, requests_door(sandbox.handle):
        assert "keys" in requests.get(JWKS, timeout=5).json()


@pytest.mark.usefixtures("sandbox")
def test_other_hosts_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without a mock is looked up as usual."""
    looked_up: list[object] = []

    def refuse(host: object, *args: object, **kwargs: object) -> None:
        looked_up.append(host)
        raise OSError("no network here")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    with pytest.raises(requests.ConnectionError):
        requests.get(OTHER, timeout=5)
    assert looked_up == ["api.partner.example"]


@pytest.mark.parametrize("form", ["file", "text", "chunks of text"])
def test_any_form_of_body_arrives(sandbox: Sandbox, form: str, tmp_path: Path) -> None:
    """A file, a text and a generator each arrive as the intended body."""
    client = sandbox.client
    text = f'{{"clientId": "{client.client_id}", "clientSecret": "{client.client_secret}"}}'
    path = tmp_path / "body.json"
    path.write_text(text)
    url = f"{sandbox.base_url}/v1/auth/jwt"
    headers = {"Content-Type": "application/json"}
    with path.open("rb") as file:
        bodies: dict[str, Any] = {"file": file, "text": text, "chunks of text": iter([text])}
        answer = requests.post(url, data=bodies[form], headers=headers, timeout=5)
    assert answer.status_code == 201


def test_host_header_of_the_client_is_kept(sandbox: Sandbox) -> None:
    """A ``Host`` that the client sets itself is sent as it is, and only once."""
    answer = requests.get(JWKS, headers={"Host": HOSTS["sandbox"]}, timeout=5)
    assert answer.status_code == 200
    (exchange,) = sandbox.journal
    assert exchange.request_headers["host"] == HOSTS["sandbox"]


@pytest.mark.parametrize("port", ["", ":443"])
def test_host_that_ends_with_a_dot_is_the_same(sandbox: Sandbox, port: str) -> None:
    """It is by DNS; urllib3 leaves the dot out of the header ``Host``, and so does the door."""
    url = f"https://{HOSTS['sandbox']}.{port}/.well-known/jwks.json"
    assert requests.get(url, timeout=5).status_code == 200
    assert sandbox.journal[-1].request_headers["host"] == HOSTS["sandbox"] + port


@pytest.mark.parametrize("size", [None, 1, 7, 100_000])
def test_streamed_answer_ends(sandbox: Sandbox, size: int | None) -> None:
    """In pieces of any size, or as the pieces come, a stream gives the whole body once."""
    whole = requests.get(JWKS, timeout=5).content
    with requests.get(JWKS, timeout=5, stream=True) as answer:
        assert b"".join(answer.iter_content(size)) == whole
        assert answer.raw.closed or answer.raw.read() == b""


def test_streamed_lines_end(sandbox: Sandbox) -> None:
    """So do its lines."""
    with requests.get(JWKS, timeout=5, stream=True) as answer:
        assert b"".join(answer.iter_lines()) == requests.get(JWKS, timeout=5).content


def test_closed_stream_is_over(sandbox: Sandbox) -> None:
    """A stream that was closed before its end gives no more."""
    with requests.get(JWKS, timeout=5, stream=True) as answer:
        assert next(answer.iter_content(1))
        body: Any = answer.raw._fp
        body.close()
        assert body.isclosed()
