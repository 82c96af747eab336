"""Hostile answers beyond the good and the fragile clients: what was left out, and why."""

import asyncio
import contextlib
import datetime as dt
import os
from typing import Any

import aiohttp
import pytest
from doubles.clients.client_steps import ApiError, ClientError, Send, UnexpectedAnswerError
from doubles.clients.early_and_late import LastsUntilItsExpiry
from doubles.clients.fragile_clients import NoBounds, TakesAnything
from doubles.clients.good_client import GoodClient
from doubles.clients.stacks import SyncHttpx
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.errors import EXPIRED_TOKEN
from pytest_turris.core.faults.hostile.raw import MAX_SECONDS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server
from pytest_turris.findings.errors import CheckFailedError, NotObservedError
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.blocking import real_sleep
from pytest_turris.time_travel.travel import TimeTravel

_GRACE = 3.0
"""Real seconds by which a busy machine may be late."""


def test_verdict_names_what_was_left_out(turris: Sandbox, turris_time: TimeTravel) -> None:
    """In process the answers of raw bytes are not given, and the verdict says so."""
    verdict = examine(HostileCase("AR-33", turris, turris_time), "httpx")
    assert verdict.outcome == "passed"
    left_out = "'half-open', 'half-open, token', 'slow headers', 'slow body'"
    assert f"not given: {left_out}: needs a socket, ask for turris_server" in str(verdict)


async def _list_agents_in_time() -> object:
    """A call of aiohttp with a deadline, and no timeout for each read."""
    base = os.environ["TURRIS_BASE_URL"]
    names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
    body = {member: os.environ[name] for member, name in names.items()}
    with contextlib.suppress(aiohttp.ClientError):
        async with asyncio.timeout(1), aiohttp.ClientSession() as session:
            async with session.post(f"{base}/v1/auth/jwt", json=body) as answer:
                token = (await answer.json())["data"]["accessToken"]
            headers = {"Authorization": f"Bearer {token}"}
            async with session.get(f"{base}/v1/agents", headers=headers) as answer:
                return await answer.json()
    raise OSError("Turris did not answer well")


def test_deadline_of_an_event_loop_ends_a_slow_body(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """A client that leaves at its deadline is seen to leave, though the answer moves the clock."""
    case = HostileCase("AR-33", turris, turris_time)
    verdict = asyncio.run(case.aexamine(ClientUnderTest(call=_list_agents_in_time)))
    assert verdict.outcome == "passed", verdict


def test_record_without_an_id_shows_nothing(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A call for a list does not ask for a record."""
    client = SyncHttpx(GoodClient())
    with pytest.raises(NotObservedError, match="did not ask for a record by its id"):
        HostileCase("AR-34", turris, turris_time).run(client.call, record=client.call)
    client.close()


def test_answer_that_is_not_asked_for_shows_nothing(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """A client that never refreshes early gets no 429 while its token is valid."""
    verdict = examine(HostileCase("AR-32", turris, turris_time), "httpx", LastsUntilItsExpiry)
    assert verdict.outcome == "not observed", verdict
    assert "'429': the client sent no request that it answers" in str(verdict)


def test_client_without_a_buffer_gets_odd_tokens(turris: Sandbox, turris_time: TimeTravel) -> None:
    """A client that uses its token to the last moment gets the answer too, and is caught."""
    client = type("Naive", (TakesAnything, LastsUntilItsExpiry), {})
    for name in ("AR-02", "AR-03"):
        assert examine(HostileCase(name, turris, turris_time), "httpx", client).outcome == "failed"


class RaisesPythonsOwn(GoodClient):
    """Gives up on purpose, by exceptions that Python itself has."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """With the status."""
        try:
            return (yield from super().attempts(send, limit, hide))
        except ApiError as error:
            raise RuntimeError(f"status {error.status}") from None

    def lifetime(self, text: str, expires_in: Any) -> dt.timedelta:
        """Of a sensible value only."""
        if type(expires_in) is not int or expires_in <= 0:
            raise RuntimeError(f"expiresIn {expires_in!r}")
        return super().lifetime(text, expires_in)


@pytest.mark.parametrize(
    ("kind", "name"), [(HostileCase, "AR-18"), (HostileCase, "AR-21"), (TokenCase, "TC-11")]
)
def test_an_exception_of_pythons_own_is_told_how_to_be_the_clients(
    turris: Sandbox,
    turris_time: TimeTravel,
    kind: type[HostileCase] | type[TokenCase],
    name: str,
) -> None:
    """A client that raises it on purpose reads that it does not count, after the check's advice."""
    case = kind(name, turris, turris_time)
    verdict = examine(case, "httpx", RaisesPythonsOwn)
    (finding,) = verdict.findings
    advice, what_counts = finding.fix.split(" Where the client raises RuntimeError on purpose: ")
    assert advice == verdict.check.fix
    assert "does not count" in what_counts
    assert "class TurrisError(Exception)" in what_counts


class OldTokenAfterOddAnswers(GoodClient):
    """Uses its old token, however old it is, where the token endpoint answers with a page."""

    def renew(self) -> Any:
        """The new token, or the old one."""
        try:
            return (yield from super().renew())
        except UnexpectedAnswerError as error:
            if self.token is None or "not JSON" not in str(error):
                raise
            return self.token


def test_expired_token_after_an_odd_answer_is_found(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """The answer that lets a client send an expired token is named, where TC-06 has no such one."""
    rule = examine(TokenCase("TC-06", turris, turris_time), "httpx", OldTokenAfterOddAnswers)
    case = HostileCase("AR-05/HTML as JSON, token", turris, turris_time)
    verdict = examine(case, "httpx", OldTokenAfterOddAnswers)
    assert (rule.outcome, verdict.outcome, verdict.level) == ("passed", "failed", "must"), verdict
    assert "an expired token was sent after this answer to a token request" in str(verdict)
    assert verdict.findings[0].kind == EXPIRED_TOKEN


class SlowOnce:
    """A good client; one call after the hostile answers ends by a timeout that has no such name."""

    for_good = False

    def __init__(self) -> None:
        self.good = SyncHttpx(GoodClient())
        self._failed = self._slow = False

    def call(self) -> object:
        """Ask for the agents; not soon enough, on this machine."""
        if self._failed and not (self._slow and not self.for_good):
            self._slow = True
            real_sleep(0.6)
            raise ConnectionError("no answer in time")
        try:
            return self.good.call()
        except Exception:
            self._failed = True
            raise


class StuckForGood(SlowOnce):
    """A client that never works again."""

    for_good = True


class LosesAnswersForGood(SlowOnce):
    """A client that sends its requests as before, and never gets to an answer again."""

    def call(self) -> object:
        """Ask for the agents, and lose the answer once something went wrong."""
        try:
            agents = self.good.call()
        except Exception:
            self._failed = True
            raise
        if self._failed:
            real_sleep(0.6)
            raise ConnectionError("no answer in time")
        return agents


@pytest.mark.usefixtures("turris_server")
def test_client_whose_timeout_is_short_for_the_machine_is_not_blamed(
    turris: Sandbox, turris_time: TimeTravel
) -> None:
    """Over a socket the machine may be busy: a later call works."""
    client = SlowOnce()
    with pytest.raises(NotObservedError, match="the machine may be too slow"):
        HostileCase("AR-22", turris, turris_time).run(client.call)
    client.good.close()


@pytest.mark.usefixtures("turris_server")
@pytest.mark.parametrize("kind", [StuckForGood, LosesAnswersForGood])
def test_client_that_is_stuck_for_good_is_blamed(
    kind: type[SlowOnce], turris: Sandbox, turris_time: TimeTravel
) -> None:
    """None of its later calls works, whether they reach the sandbox or not."""
    client = kind()
    with pytest.raises(CheckFailedError, match="later, with ordinary answers, the call failed"):
        HostileCase("AR-22", turris, turris_time).run(client.call)
    client.good.close()


def test_an_endless_answer_outlasts_the_usual_timeout() -> None:
    """A timeout of five seconds, which aiohttp rounds up to a whole second, is well within it."""
    latest = max(
        aiohttp.helpers.calculate_timeout_when(tenths / 10, 5.0, 5.0) - tenths / 10
        for tenths in range(10)
    )
    assert latest + _GRACE <= MAX_SECONDS


class LeavesLate:
    """A good client whose own timeout comes after the server's end of an answer, if it has one."""

    def __init__(self, error: type[Exception]) -> None:
        self.good = SyncHttpx(type("Waits", (GoodClient,), {"timeout": None, "deadline": None})())
        self._error = error

    def call(self) -> object:
        """Ask for the agents."""
        try:
            return self.good.call()
        except ClientError:
            raise self._error from None


class ReadTimeout(Exception):  # noqa: N818 - as the libraries call it
    """A client's own timeout."""


@pytest.mark.usefixtures("turris_server")
@pytest.mark.parametrize("name", ["AR-33/half-open", "AR-37/100 Continue, then nothing"])
@pytest.mark.parametrize(("error", "outcome"), [(ReadTimeout, "passed"), (OSError, "failed")])
def test_a_call_that_ends_by_its_own_timeout_has_one(
    turris: Sandbox, turris_time: TimeTravel, name: str, error: type[Exception], outcome: str
) -> None:
    """On a busy machine the server may hang up first; the advice names the option."""
    client = LeavesLate(error)
    under_test = ClientUnderTest(call=client.call, max_seconds=0.05)
    verdict = HostileCase(name, turris, turris_time).examine(under_test)
    client.good.close()
    assert verdict.outcome == outcome, verdict
    assert outcome == "passed" or "run(call, max_seconds=0.15)" in verdict.findings[0].got


class TakesObjectsOnly(NoBounds):
    """Checks the type of the data, and has no limit for the size."""

    def read(self, document: Any) -> Any:
        """A list or an object."""
        data = super().read(document)
        if not isinstance(data, list | dict):
            raise UnexpectedAnswerError("no list")
        return data


@pytest.mark.parametrize("name", ["AR-07/gzip bomb", "AR-08/16 MB"])
@pytest.mark.parametrize("stack", ["httpx", "httpx async"])
@pytest.mark.parametrize("client", [NoBounds, TakesObjectsOnly, TakesAnything])
def test_a_large_answer_shows_the_limit_of_the_size_alone(
    turris: Sandbox, turris_time: TimeTravel, name: str, stack: str, client: type[GoodClient]
) -> None:
    """It is honest but for its size, so that no check of its type hides or makes a finding."""
    bounded = client.largest is not None
    verdict = examine(HostileCase(name, turris, turris_time), stack, client)
    assert verdict.outcome == ("passed" if bounded else "warned"), verdict
    got = f"{name}: the client read 16 MB to the end, and returned a value of type list: it has"
    assert bounded or got in verdict.findings[0].got
