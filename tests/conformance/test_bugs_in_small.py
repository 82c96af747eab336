"""Small clients with one bug each, which the larger doubles cannot have; and what says nothing."""

import asyncio
import datetime as dt
import logging
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest
import requests
from doubles.clients.broken_leaks import FollowsNext, LogsTheToken, PublicTokenFile
from doubles.clients.broken_sharing import UsesUpItsBody
from doubles.clients.broken_tokens import FetchesForEachCall, NoBuffer, NoSecondTry
from doubles.clients.good_client import GoodClient
from doubles.clients.ordinary import NeverRenews
from doubles.clients.plain_client import PlainClient
from doubles.clients.stacks import OVER_A_SOCKET, SyncHttpx
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.real_clocks import clock_value, clocks_read
from pytest_turris.conformance.preconditions import renew_well
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel


class LongBuffer(GoodClient):
    """Replaces a token after half an hour."""

    buffer = dt.timedelta(minutes=30)


class SmallAsyncClient(PlainClient):
    """Gets a token for each call, and calls over httpx."""

    async def get(self, token: str) -> Any:
        """One GET."""
        async with httpx.AsyncClient(base_url=self.sandbox.base_url) as http:
            answer = await http.get(self.path, headers={"authorization": f"Bearer {token}"})
        return answer.raise_for_status().json()

    async def new_token(self) -> str:
        """One token request."""
        own = self.sandbox.client
        body = {"clientId": own.client_id, "clientSecret": str(own.client_secret)}
        async with httpx.AsyncClient(base_url=self.sandbox.base_url) as http:
            answer = await http.post("/v1/auth/jwt", json=body)
        return str(answer.raise_for_status().json()["data"]["accessToken"])


def examine_async(case: TokenCase, call: Callable[[], Any], backend: str = "asyncio") -> Verdict:
    """The verdict on an async call."""

    async def main() -> Verdict:
        return await case.aexamine(ClientUnderTest(call=call))

    return anyio.run(main, backend=backend)


@pytest.mark.parametrize("library", [httpx, requests])
def test_blocking_request_in_a_coroutine(
    turris: Sandbox, turris_time: TimeTravel, library: Any
) -> None:
    """A token request by a sync library stops the event loop for as long as it takes."""
    client, own = SmallAsyncClient(turris), turris.client
    body = {"clientId": own.client_id, "clientSecret": str(own.client_secret)}

    async def call() -> Any:
        answer = library.post(f"{turris.base_url}/v1/auth/jwt", json=body)
        answer.raise_for_status()
        return await client.get(answer.json()["data"]["accessToken"])

    verdict = examine_async(TokenCase("TC-66", turris, turris_time), call)
    assert verdict.findings[0].got == (
        "a coroutine sent POST /v1/auth/jwt with a library that blocks"
    )


@pytest.mark.parametrize("over_a_socket", [False, True])
def test_coroutine_that_waits_for_a_thread(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel, *, over_a_socket: bool
) -> None:
    """The thread sends the request, and the event loop stands still until it has its answer."""
    if over_a_socket:
        request.getfixturevalue("turris_server")
    client, own = SmallAsyncClient(turris), turris.client
    body = {"clientId": own.client_id, "clientSecret": str(own.client_secret)}

    async def call() -> Any:
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(httpx.post, f"{turris.base_url}/v1/auth/jwt", json=body).result()
        answer.raise_for_status()
        return await client.get(answer.json()["data"]["accessToken"])

    verdict = examine_async(TokenCase("TC-66", turris, turris_time), call)
    assert verdict.findings[0].got == (
        "a coroutine blocked its event loop until POST /v1/auth/jwt was answered"
    )


def test_task_of_the_first_caller(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Callers that await the first one's refresh are cancelled with it, unless it is shielded."""
    client = SmallAsyncClient(turris)
    refresh: list[asyncio.Task[str]] = []

    async def call() -> Any:
        expires = turris.tokens.newest and turris.tokens.newest.expires_at
        if not refresh or (refresh[0].done() and (not expires or turris.clock.now() >= expires)):
            refresh[:] = [asyncio.ensure_future(client.new_token())]
        return await client.get(await refresh[0])

    verdict = examine_async(TokenCase("TC-43", turris, turris_time), call)
    assert "calls failed when another call was cancelled" in verdict.findings[0].got


@pytest.mark.parametrize("rule", ["TC-43", "TC-67"])
def test_cancelling_on_trio(turris: Sandbox, turris_time: TimeTravel, rule: str) -> None:
    """A client that keeps nothing is cancelled on trio as it is on asyncio."""
    client = SmallAsyncClient(turris)

    async def call() -> Any:
        return await client.get(await client.new_token())

    verdict = examine_async(TokenCase(rule, turris, turris_time), call, "trio")
    assert verdict.outcome == "passed", verdict


def test_token_in_another_header(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A copy of the token in a header that every log shows."""
    client = PlainClient(turris)

    def call() -> Any:
        token = client.token()
        headers = {"authorization": f"Bearer {token}", "user-agent": f"client {token}"}
        return httpx.get(f"{turris.base_url}/v1/agents", headers=headers).raise_for_status()

    verdict = TokenCase("TC-59", turris, turris_time).examine(ClientUnderTest(call=call))
    assert "carried its token in the header user-agent too" in verdict.findings[0].got


def test_token_in_the_environment(
    turris: Sandbox, turris_time: TimeTravel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Child processes inherit it."""
    client = PlainClient(turris)

    def call() -> Any:
        monkeypatch.setitem(os.environ, "CLIENT_TOKEN", client.token())
        return client.call()

    verdict = TokenCase("TC-59", turris, turris_time).examine(ClientUnderTest(call=call))
    assert (verdict.outcome, "CLIENT_TOKEN" in verdict.findings[0].got) == ("warned", True)


@pytest.mark.parametrize(
    ("rule", "client", "words"),
    [
        ("TC-65", FollowsNext, "look at TC-35 first"),
        ("TC-63", LogsTheToken, "look at TC-28 first"),
        ("TC-68", NoSecondTry, "a write that gets a 401 is not repeated"),
        ("TC-58", NoSecondTry, "no refusal came after a new token"),
        ("TC-60", NeverRenews, "look at TC-06 first"),
        ("TC-02", FetchesForEachCall, "look at TC-01 first"),
        ("TC-64", NeverRenews, "look at TC-06 first"),
    ],
)
def test_bug_of_another_rule_gives_no_verdict(
    turris: Sandbox, turris_time: TimeTravel, rule: str, client: type[GoodClient], words: str
) -> None:
    """The reason names the rule to look at first."""
    verdict = examine(TokenCase(rule, turris, turris_time), "httpx", client)
    assert verdict.outcome == "not observed", verdict
    assert words in verdict.reason


@pytest.mark.parametrize("stack", ["requests", "httpx async"])
def test_call_that_is_not_repeated_renews_nothing(
    request: pytest.FixtureRequest, turris: Sandbox, turris_time: TimeTravel, stack: str
) -> None:
    """The refusal that waits for a new token goes on without one."""
    if stack in OVER_A_SOCKET:
        request.getfixturevalue("turris_server")
    verdict = examine(TokenCase("TC-58", turris, turris_time), stack, NoSecondTry)
    assert "no refusal came after a new token" in verdict.reason


class LogsHalf(GoodClient):
    """Half of the token's signature."""

    def note(self, send: Any, outcome: Any) -> None:
        """As a log line."""
        logging.getLogger("careless").info("%s", send.headers.get("authorization", "")[-40:])


def test_half_of_a_secret_is_as_good_as_the_whole(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A long piece is of level must."""
    verdict = examine(TokenCase("TC-63", turris, turris_time), "httpx", LogsHalf)
    assert (verdict.outcome, verdict.level) == ("failed", "must"), verdict


@pytest.mark.turris(time_engine="time-machine")
@pytest.mark.parametrize(
    ("client", "outcome"),
    [(NoBuffer, "not observed"), (LongBuffer, "passed"), (PublicTokenFile, "passed")],
)
def test_zones_of_other_buffers(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], outcome: str
) -> None:
    """Without a buffer there is nothing to see; with a long one, less."""
    verdict = examine(TokenCase("TC-64", turris, turris_time), "httpx", client)
    assert verdict.outcome == outcome, verdict


@pytest.mark.parametrize("rule", ["TC-29", "TC-59", "TC-09"])
def test_fewer_calls_show_less(turris: Sandbox, turris_time: TimeTravel, rule: str) -> None:
    """Without another client or a write, the rule is still seen."""
    client = SyncHttpx(LongBuffer())
    verdict = TokenCase(rule, turris, turris_time).examine(ClientUnderTest(call=client.call))
    client.close()
    assert verdict.outcome == "passed", verdict


class Impatient(GoodClient):
    """Waits for two seconds."""

    timeout = 2.0


def test_client_that_does_not_wait_shows_nothing(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Where the token endpoint takes longer than the client waits, there is no token to age."""
    verdict = examine(TokenCase("TC-07", turris, turris_time), "httpx", Impatient)
    assert "does not wait three seconds" in verdict.reason


@pytest.mark.parametrize(
    ("new_client", "words"),
    [
        (lambda: 1 // 0, "new_client failed: ZeroDivisionError"),
        (None, "it has to read the environment"),
    ],
)
def test_other_client_that_is_not_another_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel, new_client: Any, words: str
) -> None:
    """Rules about tenants need a client with the credentials of the environment."""
    client = SyncHttpx(GoodClient())
    new = new_client or (lambda: client.call)
    under_test = ClientUnderTest(call=client.call, new_client=new)
    verdict = TokenCase("TC-56", turris, turris_time).examine(under_test)
    client.close()
    assert words in verdict.reason, verdict


class NotesAndGivesUp(TokenCase):
    """A case that finds a little, and then has nothing more to look at."""

    def _steps(self, harness: ClientHarness) -> ProbeSteps[tuple[str, ...]]:
        yield from harness.get_first_token()
        for _ in range(2):
            harness.recommend(condition=False, got="something small")
        harness.not_applicable("nothing more to see")


def test_small_finding_stays_if_the_rest_is_not_observed(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The verdict has the finding, once, and the reason as a note."""
    verdict = examine(NotesAndGivesUp("TC-01", turris, turris_time), "httpx")
    assert [finding.got for finding in verdict.findings] == ["something small"]
    assert (verdict.outcome, "nothing more to see" in verdict.notes) == ("warned", True)


class RenewsWell(TokenCase):
    """A case that needs a working renewal, with a token endpoint that fails."""

    def _steps(self, harness: ClientHarness) -> ProbeSteps[tuple[str, ...]]:
        yield from harness.get_first_token()
        with harness.fault("get_oauth_token", status=400, times=None):
            yield from renew_well(harness)
        return ()


def test_renewal_that_fails_is_no_ground_for_a_verdict(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The reason has the client's error."""
    verdict = examine(RenewsWell("TC-01", turris, turris_time), "httpx")
    assert "was not made with a new one (ApiError: 400" in verdict.reason


@pytest.mark.turris(fail_on_refusal=False)
def test_flood_of_token_requests_is_blamed(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Calls that fail because the client used up its limit break the rule about that."""
    harness = ClientHarness(turris, turris_time, ClientUnderTest(call=lambda: None))
    turris.limits.exhaust("token")
    with harness.open(), pytest.raises(httpx.HTTPStatusError):
        PlainClient(turris).token()
    assert "look at TC-01 first" in harness.blame(0)
    assert harness.blame(0, limits=False) == ""


class ShortensItsBody(UsesUpItsBody):
    """Correct: its second try says the same in fewer bytes."""

    def attempts(self, send: Any, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Without white space."""
        return (yield from GoodClient.attempts(self, self.shorter(send), limit, hide))

    def shorter(self, send: Any) -> Any:
        """The second time."""
        if "idempotency-key" not in send.headers:
            return send
        self.tried = getattr(self, "tried", 0) + 1
        return replace(send, body=send.body.replace(b": ", b":")) if self.tried > 1 else send


def test_shorter_document_is_a_whole_body(turris: Sandbox, turris_time: TimeTravel) -> None:
    """The same JSON without white space loses nothing."""
    verdict = examine(TokenCase("TC-68", turris, turris_time), "httpx", ShortensItsBody)
    assert verdict.outcome == "passed", verdict


def test_clocks_that_are_read_are_named() -> None:
    """Each built-in clock by the module that reads it; those of libraries are left out."""
    loop = asyncio.new_event_loop()
    with clocks_read() as found:
        note = sys.getprofile()
        assert note is not None
        frame = sys._getframe()
        for clock in (time.monotonic, time.time_ns, dt.datetime.now, len):
            note(frame, "c_call", clock)
        note(frame, "call", None)
        loop.time()
        sys.setprofile(None)
    loop.close()
    assert f"{__name__}: time.monotonic" in found
    assert f"{__name__}: time.time_ns" in found
    assert [name for name in found if name.startswith(f"{__name__}: ") and "datetime.now" in name]
    assert not [name for name in found if "len" in name]


@pytest.mark.parametrize("module", ["asyncio.base_events", "json.decoder", "httpx._client"])
def test_clock_of_a_library_is_not_the_clients(module: str) -> None:
    """Python and HTTP libraries have clocks of their own; an event loop's is its caller's."""
    names: dict[str, Any] = {"__name__": module, "sys": sys}
    exec("def time(): return sys._getframe()", names)  # noqa: S102 - a frame of that module
    with clocks_read() as found:
        note = sys.getprofile()
        assert note is not None
        note(names["time"](), "c_call", time.monotonic)
        sys.setprofile(None)
    assert not [name for name in found if name.startswith(module)]


def test_value_of_a_clock_is_in_seconds() -> None:
    """Of nanoseconds, dates, and clocks that need an argument too."""
    assert clock_value(time.time_ns) == pytest.approx(clock_value(time.time), abs=5)
    assert clock_value(dt.datetime.now) == pytest.approx(clock_value(time.time), abs=5)
    assert clock_value(time.clock_gettime) == pytest.approx(clock_value(time.monotonic), abs=5)
