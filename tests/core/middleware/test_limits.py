"""Rate limits: the windows, their headers, and how a test moves between them."""

import datetime as dt
from collections.abc import Callable

import pytest
from doubles.sandbox_client import MICROSECOND, NOW, Client, headers_of, refusal

from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

MINUTE = dt.timedelta(minutes=1)
TOO_MANY = (429, "rate_limit_exceeded", ["Rate limit exceeded. Please retry after 60 seconds."])
RESET = "1742206605"  # 10:16:45Z, a minute after NOW


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox whose limited calls all show their window."""
    return Sandbox(Options(rate_headers="always"))


def write(client: Client) -> int:
    """The status of one write."""
    return client.post("/v1/agents", {"npn": "12345678"}).status


def test_ten_token_requests_a_minute(client: Client) -> None:
    """The eleventh token request within a minute is a 429."""
    assert [client.ask_for_token().status for _ in range(11)] == [201] * 10 + [429]


def test_sixty_writes_a_minute(caller: Client) -> None:
    """The sixty-first write within a minute is a 429."""
    assert [write(caller) for _ in range(61)] == [201] * 60 + [429]


def test_reads_are_free(caller: Client) -> None:
    """GET has no limit and no rate headers, even if no writes are left."""
    caller.sandbox.limits.exhaust("write", caller.sandbox.client.client_id)
    for _ in range(100):
        response = caller.get("/v1/agents")
        assert response.status == 200
        assert headers_of(response) == {"content-type": "application/json; charset=utf-8"}


def test_the_documented_body_of_the_429(client: Client) -> None:
    """Its members, their order and the text are those of the rate-limiting guide."""
    client.sandbox.limits.exhaust()
    response = client.ask_for_token()
    document = response.json()
    request_id = document.pop("requestId")
    assert response.status == 429
    assert response.body == (
        b'{"statusCode":429,"requestId":"' + request_id.encode() + b'",'
        b'"errorType":"rate_limit_exceeded",'
        b'"errorMessage":["Rate limit exceeded. Please retry after 60 seconds."],'
        b'"timestamp":"2025-03-17T10:15:45.000Z"}'
    )


def test_headers_count_down(client: Client) -> None:
    """Limit, remaining calls and the Unix second of the reset come with each limited call."""
    for remaining in ("9", "8", "7"):
        assert headers_of(client.ask_for_token()) == {
            "content-type": "application/json; charset=utf-8",
            "x-ratelimit-limit": "10",
            "x-ratelimit-remaining": remaining,
            "x-ratelimit-reset": RESET,
        }


def test_headers_of_the_429(client: Client) -> None:
    """A 429 has no call left and no ``Retry-After``."""
    client.sandbox.limits.exhaust()
    assert headers_of(client.ask_for_token()) == {
        "content-type": "application/json; charset=utf-8",
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": RESET,
    }


def test_headers_come_with_a_refusal_too(client: Client) -> None:
    """A refused token request was counted, and its answer says so."""
    response = client.ask_for_token(secret="wrong-secret")
    assert response.status == 401
    assert headers_of(response)["x-ratelimit-remaining"] == "9"


def test_writes_and_token_requests_have_windows_of_their_own(caller: Client) -> None:
    """Using up one bucket leaves the other."""
    caller.sandbox.limits.exhaust("token")
    assert caller.ask_for_token().status == 429
    assert write(caller) == 201


def test_each_client_has_its_own_window(client: Client) -> None:
    """Each client has its own window."""
    client.sandbox.limits.exhaust()
    other = client.sandbox.credentials.issue()
    assert client.ask_for_token().status == 429
    assert client.ask_for_token(other.client_id, other.client_secret).status == 201


def test_each_restricted_token_has_its_own_window(caller: Client) -> None:
    """The limit is keyed per API client or per restricted access token."""
    caller.sandbox.limits.exhaust("write")
    assert write(caller) == 429
    token = caller.sandbox.credentials.issue_restricted()
    caller.bearer = None
    headers = {"x-restricted-access-token": token.token}
    response = caller.post("/v1/agents", {"npn": "12345678"}, headers)
    assert response.status == 201
    assert headers_of(response)["x-ratelimit-remaining"] == "59"


def test_tokens_of_one_client_share_its_window(caller: Client) -> None:
    """A new token does not open a new window."""
    caller.sandbox.limits.exhaust("write")
    caller.token()
    assert write(caller) == 429


def test_unknown_clients_share_one_window(client: Client) -> None:
    """Guessed client ids share one limit."""
    statuses = [client.ask_for_token(f"guess-{n}", "x").status for n in range(11)]
    assert statuses == [401] * 10 + [429]
    assert client.ask_for_token().status == 201


def test_a_refused_call_is_not_counted(client: Client) -> None:
    """Calls over the limit do not extend the window."""
    client.sandbox.limits.exhaust()
    client.sandbox.clock.advance(MINUTE - MICROSECOND)
    assert client.ask_for_token().status == 429
    client.sandbox.clock.advance(MICROSECOND)
    assert client.ask_for_token().status == 201


def test_an_unauthenticated_write_is_not_counted(client: Client) -> None:
    """An unauthenticated caller has no window."""
    response = client.post("/v1/agents", {"npn": "1"})
    assert response.status == 401
    assert "x-ratelimit-limit" not in headers_of(response)


def test_an_invalid_write_is_counted(caller: Client) -> None:
    """The limit comes before the validation of the body."""
    response = caller.post("/v1/agents", {})
    assert response.status == 400
    assert headers_of(response)["x-ratelimit-remaining"] == "59"


def test_a_fixed_window_ends_a_minute_after_its_first_call(client: Client) -> None:
    """At 60 seconds all calls are available again; a microsecond earlier, none."""
    client.ask_for_token()
    client.sandbox.clock.advance(seconds=59)
    for _ in range(9):
        client.ask_for_token()
    client.sandbox.clock.advance(dt.timedelta(seconds=1) - MICROSECOND)
    assert refusal(client.ask_for_token()) == TOO_MANY
    client.sandbox.clock.advance(MICROSECOND)
    assert [client.ask_for_token().status for _ in range(11)] == [201] * 10 + [429]


def test_a_sliding_window_frees_one_call_at_a_time(caller_with: Callable[..., Client]) -> None:
    """Option ``rate_window='sliding'``: only the call of a minute ago is available again."""
    client = caller_with(rate_window="sliding")
    client.sandbox.clock.advance(seconds=59)
    for _ in range(9):
        assert client.ask_for_token().status == 201
    client.sandbox.clock.advance(dt.timedelta(seconds=1) - MICROSECOND)
    assert refusal(client.ask_for_token()) == TOO_MANY
    client.sandbox.clock.advance(MICROSECOND)
    assert [client.ask_for_token().status for _ in range(2)] == [201, 429]


@pytest.mark.parametrize("rate_window", ["fixed", "sliding"])
@pytest.mark.parametrize("milliseconds", [0, 1, 300, 999])
def test_waiting_until_reset_is_enough(
    caller_with: Callable[..., Client], rate_window: str, milliseconds: int
) -> None:
    """At the second that ``X-RateLimit-Reset`` names a call is accepted; it is at most 1 s late."""
    client = caller_with(rate_window=rate_window)
    client.sandbox.limits.reset()
    client.sandbox.clock.advance(milliseconds=milliseconds)
    client.sandbox.limits.exhaust()
    started = client.sandbox.clock.now()
    reset = int(headers_of(client.ask_for_token())["x-ratelimit-reset"])
    moment = dt.datetime.fromtimestamp(reset, dt.UTC)
    assert MINUTE <= moment - started < MINUTE + dt.timedelta(seconds=1)
    client.sandbox.clock.move_to(moment)
    assert client.ask_for_token().status == 201


def test_headers_near_the_limit_only(caller_with: Callable[..., Client]) -> None:
    """Option ``rate_headers='near'``: the eighth of ten calls is the first with headers."""
    client = caller_with(rate_headers="near")
    shown = ["x-ratelimit-limit" in headers_of(client.ask_for_token()) for _ in range(10)]
    assert shown == [False] * 6 + [True] * 4


def test_retry_after_if_wanted(caller_with: Callable[..., Client]) -> None:
    """Option ``retry_after``: the whole seconds after which a call is accepted."""
    client = caller_with(retry_after=True)
    client.sandbox.limits.exhaust()
    client.sandbox.clock.advance(milliseconds=17_500)
    response = client.ask_for_token()
    assert headers_of(response)["retry-after"] == "43"
    client.sandbox.clock.advance(seconds=43)
    assert client.ask_for_token().status == 201


def test_the_limits_are_options(caller_with: Callable[..., Client]) -> None:
    """Options ``token_requests_per_minute`` and ``writes_per_minute`` change the limits."""
    client = caller_with(token_requests_per_minute=2, writes_per_minute=1)
    assert [client.ask_for_token().status for _ in range(2)] == [201, 429]
    assert [write(client), write(client)] == [201, 429]


def test_the_journal_tells_when_the_window_resets(client: Client) -> None:
    """The reason of a 429 names the limit, its credential, and the wait."""
    client.sandbox.limits.exhaust()
    client.sandbox.clock.advance(seconds=20)
    client.ask_for_token()
    assert client.sandbox.journal[-1].reason == (
        f"10 token calls a minute for {client.sandbox.client.client_id} are used up; "
        "the window resets in 40 s, at 10:16:45Z"
    )


def test_a_window_may_be_used_up_but_for_some(client: Client) -> None:
    """``exhaust(leave=2)`` leaves two calls, counting earlier ones."""
    client.ask_for_token()
    allowance = client.sandbox.limits.exhaust("token", leave=2)
    assert (allowance.limit, allowance.used, allowance.remaining) == (10, 8, 2)
    assert [client.ask_for_token().status for _ in range(3)] == [201, 201, 429]


def test_a_window_is_looked_at_for_free(sandbox: Sandbox) -> None:
    """``allowance`` spends nothing."""
    for _ in range(20):
        allowance = sandbox.limits.allowance("token", sandbox.client.client_id)
    assert (allowance.remaining, allowance.resets_at) == (10, NOW + MINUTE)


def test_reset_forgets_every_call(client: Client) -> None:
    """After ``reset`` all windows are fresh."""
    client.sandbox.limits.exhaust()
    client.sandbox.limits.reset()
    assert client.ask_for_token().status == 201


@pytest.mark.parametrize("leave", [-1, 11])
def test_leave_is_within_the_limit(sandbox: Sandbox, leave: int) -> None:
    """``leave`` is from 0 to the limit."""
    with pytest.raises(ValueError, match=f"leave={leave} is not from 0 to the limit of 10"):
        sandbox.limits.exhaust("token", leave=leave)


def test_there_are_two_buckets(sandbox: Sandbox) -> None:
    """There are token requests and writes; any other bucket is refused."""
    with pytest.raises(ValueError, match="there is no bucket 'read'; use 'token' or 'write'"):
        sandbox.limits.exhaust("read")  # type: ignore[arg-type] # what is refused


def test_a_limit_of_nothing_refuses_the_first_call() -> None:
    """A limit of 0 refuses every call, with a reset a minute away."""
    client = Client(Sandbox(Options(token_requests_per_minute=0)))
    response = client.ask_for_token()
    assert refusal(response) == TOO_MANY
    assert headers_of(response)["x-ratelimit-reset"] == RESET


def test_a_credential_is_named_or_given() -> None:
    """The default client, the object, or its name; a restricted token too."""
    sandbox = Sandbox(Options())
    restricted = sandbox.credentials.issue_restricted()
    sandbox.limits.exhaust("write", restricted, leave=1)
    assert sandbox.limits.allowance("write", restricted).remaining == 1
    assert sandbox.limits.allowance("write", restricted.name).remaining == 1
    assert sandbox.limits.allowance("write", sandbox.client).remaining == 60
    assert sandbox.limits.allowance("write").remaining == 60


def test_an_unknown_credential_is_refused() -> None:
    """With the nearest name, in place of an allowance that is nobody's."""
    sandbox = Sandbox(Options())
    wrong = sandbox.client.client_id[:-1]
    with pytest.raises(UnknownNameError, match=f"did you mean '{sandbox.client.client_id}'"):
        sandbox.limits.allowance("token", wrong)
    with pytest.raises(UnknownNameError, match="no bucket 'reads'"):
        sandbox.limits.allowance("reads")  # type: ignore[arg-type]  # a typo of a user
