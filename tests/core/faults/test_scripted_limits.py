"""A scripted 429: what it says about the rate limit."""

import datetime as dt
import math
from collections.abc import Callable

import pytest
from doubles.sandbox_client import Client, headers_of

AGENTS = "/v1/agents"


def _limited(client: Client, method: str, path: str, body: bytes = b"{}") -> dict[str, str]:
    """The headers of an answer about the rate limit, which is a 429."""
    answer = client.send(method, path, headers={"content-type": "application/json"}, body=body)
    assert answer.status == 429
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")
    return {name: value for name, value in headers_of(answer).items() if name in names}


@pytest.mark.parametrize("headers", ["near", "always"])
@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [("GET", AGENTS, "60"), ("POST", AGENTS, "60"), ("POST", "/v1/auth/jwt", "10")],
)
@pytest.mark.parametrize("processed", [True, False])
def test_a_scripted_429_has_the_headers_of_the_sandboxs_own(
    caller_with: Callable[..., Client],
    *,
    headers: str,
    method: str,
    path: str,
    limit: str,
    processed: bool,
) -> None:
    """A client that waits for the reset, as documented, is told when it is; nothing is used up."""
    caller = caller_with(rate_headers=headers)
    before = caller.sandbox.limits.snapshot()
    caller.sandbox.faults.add("*", status=429, processed=processed, times=2)
    caller.sandbox.clock.advance(seconds=1)
    after = {"x-ratelimit-limit": limit, "x-ratelimit-remaining": "0"}
    moment = caller.sandbox.clock.now() + dt.timedelta(minutes=1)
    found = _limited(caller, method, path)
    assert found == after | {"x-ratelimit-reset": str(math.ceil(moment.timestamp()))}
    assert processed or caller.sandbox.limits.snapshot() == before


def test_a_scripted_429_says_when_to_come_back_if_asked(
    caller_with: Callable[..., Client],
) -> None:
    """The option ``retry_after`` is about every 429."""
    caller = caller_with(retry_after=True)
    caller.sandbox.faults.add("list_agents", status=429)
    assert _limited(caller, "GET", AGENTS)["retry-after"] == "60"


def test_a_scripted_429_has_the_headers_that_the_test_gives(
    caller_with: Callable[..., Client],
) -> None:
    """Those replace the sandbox's own, each for itself."""
    caller = caller_with(retry_after=True)
    own = {"X-RateLimit-Reset": "soon", "Retry-After": "5"}
    caller.sandbox.faults.add("list_agents", status=429, headers=own)
    assert _limited(caller, "GET", AGENTS) == {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "soon",
        "retry-after": "5",
    }


@pytest.mark.parametrize("status", [400, 503])
def test_another_scripted_status_says_nothing_about_the_limit(caller: Client, status: int) -> None:
    """Only a 429 is about the rate limit."""
    caller.sandbox.faults.add("list_agents", status=status)
    assert "x-ratelimit-reset" not in headers_of(caller.get(AGENTS))
