"""What was meant for the production API is refused, and the log says so without any secret."""

import asyncio
import contextlib
from collections.abc import Iterator
from inspect import isawaitable

import httpx
import jwt
import pytest
from doubles.sandbox_client import PRODUCTION_HOST
from doubles.served_here import served

from mock_server.serving.answers.production import meant_for_production
from mock_server.serving.server import StandaloneSandbox
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.relay.client import Relay

KEY = "a key of the real Turris, which the sandbox does not know"


@pytest.fixture(scope="module")
def log() -> list[str]:
    """The lines of the log."""
    return []


@pytest.fixture(scope="module")
def server(log: list[str]) -> Iterator[StandaloneSandbox]:
    """A server on a socket."""
    with served(log=log) as server:
        yield server


def real_token(**claims: object) -> str:
    """A token that the real Turris may have issued."""
    return jwt.encode({"sub": "client-4711", **claims}, KEY, algorithm="HS256")


def ask(server: StandaloneSandbox, **headers: str) -> httpx.Response:
    """The answer to a request with these headers."""
    return httpx.get(f"{server.base_url}/v1/agents", headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"iss": f"https://{PRODUCTION_HOST}/"}, "names the production API (iss)"),
        ({"iss": PRODUCTION_HOST.upper()}, "names the production API (iss)"),
        ({"aud": ["other", f"https://{PRODUCTION_HOST}"]}, "names the production API (aud)"),
    ],
)
def test_a_token_of_production_is_refused_with_a_warning(
    server: StandaloneSandbox, log: list[str], claims: dict[str, object], words: str
) -> None:
    """The answer does not say that it was one, and neither shows any part of it."""
    log.clear()
    token = real_token(**claims)
    answer = ask(server, Authorization=f"Bearer {token}")
    assert answer.status_code == 401
    assert answer.json()["errorMessage"] == ["Invalid or expired token"]
    (warning,) = [line for line in log if line.startswith("warning: ")]
    assert warning.startswith("warning: GET /v1/agents -> 401  ")
    assert words in warning
    for part in token.split("."):
        assert part not in answer.text + "".join(log)


def test_a_token_of_production_in_the_url_is_not_logged(
    server: StandaloneSandbox, log: list[str]
) -> None:
    """Neither in the warning nor in the line of the exchange."""
    log.clear()
    token = real_token(iss=f"https://{PRODUCTION_HOST}/")
    for target in (f"/v1/agents?access_token={token}", f"/v1/agents/{token}", f"/{token}/x"):
        httpx.get(
            f"{server.base_url}{target}",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
    assert len([line for line in log if line.startswith("warning: ")]) >= 2
    for part in token.split("."):
        assert part not in "".join(log)


def test_a_request_for_the_production_host_is_refused_with_a_warning(
    server: StandaloneSandbox, log: list[str]
) -> None:
    """A name that points to this machine, as a line of /etc/hosts can make it."""
    log.clear()
    assert ask(server, Host=PRODUCTION_HOST).status_code == 403
    assert "Host is that of the production API" in " ".join(log)


def test_credentials_of_the_sandbox_are_no_use_at_the_production_host(
    server: StandaloneSandbox, log: list[str]
) -> None:
    """They are of the other environment, over HTTPS too."""
    log.clear()
    token = server.sandbox.tokens.issue(server.sandbox.client).text
    request = Request(
        method="GET",
        path="/v1/agents",
        headers=(("authorization", f"Bearer {token}"),),
        scheme="https",
        host=PRODUCTION_HOST,
    )

    async def answered() -> int:
        answer = server._answers.answer(request)
        # An answer comes later if a test of this module is still connected.
        return (await answer if isawaitable(answer) else answer).status

    assert asyncio.run(answered()) == 401
    assert "Host is that of the production API" in " ".join(log)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer eyJ",
        f"Bearer eyJ{'.' * 20_000}",
        "Bearer " + real_token(iss="https://other.example/"),
        "Bearer " + real_token(),
    ],
)
def test_other_refused_credentials_are_no_warning(text: str) -> None:
    """A wrong token is what tests send all the time."""
    headers = (("authorization", text),)
    request = Request(method="GET", path="/", headers=headers, host="127.0.0.1")
    assert meant_for_production(request) == ""


def test_a_request_for_the_sandbox_of_a_test_is_looked_at_too(
    server: StandaloneSandbox, log: list[str]
) -> None:
    """It is the server that warns, whichever sandbox refused it."""
    log.clear()
    relay = Relay(server.base_url, server.control_token, workers=1, context=None)
    with contextlib.ExitStack() as files, relay.serve(Sandbox(), "a test"):
        files.callback(relay.stop)
        token = real_token(iss=f"https://{PRODUCTION_HOST}/")
        assert ask(server, Authorization=f"Bearer {token}").status_code == 401
    assert "names the production API" in " ".join(log)
