"""How long a client waits for an answer that takes ten minutes; an error after that is too late."""

import asyncio
import os
import re
import time
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

_KINDS = {"TC-38": TokenCase, "AR-33": HostileCase}


class TooSlowError(Exception):
    """The answer was there, and too late."""


def _agents(timeout: float | None) -> Callable[[], Any]:
    """A call of a client that gets a token each time, and looks at the time after each answer."""

    def read(method: str, path: str, **how: Any) -> Any:
        begun = time.monotonic()
        with httpx.stream(
            method, os.environ["TURRIS_BASE_URL"] + path, timeout=timeout, **how
        ) as r:
            r.read()
            if time.monotonic() - begun > 60:
                raise TooSlowError
        return r.raise_for_status().json()["data"]

    def call() -> Any:
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        body = {member: os.environ[name] for member, name in names.items()}
        token = read("POST", "/v1/auth/jwt", json=body)["accessToken"]
        return read("GET", "/v1/agents", headers={"authorization": f"Bearer {token}"})

    return call


@pytest.mark.parametrize("check", _KINDS)
@pytest.mark.parametrize(
    ("timeout", "how"),
    [
        (None, "the client waited ten minutes for .*: it has no timeout"),
        (599, "the client waited 599 s for .*: its timeout is longer than 120 s"),
        (121, "the client waited 121 s for .*: its timeout is longer than 120 s"),
    ],
)
def test_an_error_after_the_wait_does_not_excuse_it(
    turris: Sandbox, turris_time: TimeTravel, check: str, timeout: float | None, how: str
) -> None:
    """A client that waits for minutes, and only then raises an error, has no sensible timeout."""
    case = _KINDS[check](check, turris, turris_time)
    verdict = case.examine(ClientUnderTest(call=_agents(timeout)))
    assert verdict.outcome == "failed", verdict
    assert re.search(how, verdict.findings[0].got), verdict


@pytest.mark.parametrize("check", _KINDS)
@pytest.mark.parametrize("stack", ["httpx", "httpx async"])
@pytest.mark.parametrize("seconds", [5.0, 30.0, 80.0, 120.0])
def test_a_usual_timeout_is_right_with_all_retries(
    turris: Sandbox, turris_time: TimeTravel, check: str, stack: str, seconds: float
) -> None:
    """Each answer is given up in time; the tries and pauses of a call together may take longer."""
    client = type("Patient", (GoodClient,), {"timeout": seconds})
    verdict = examine(_KINDS[check](check, turris, turris_time), stack, client)
    assert verdict.outcome == "passed", verdict


def _retrying_agents(tries: int, deadline: float = 20) -> Callable[[], Any]:
    """Over httpx's async client without a timeout: each try has a deadline of its own."""

    async def read(http: httpx.AsyncClient, method: str, path: str, **how: Any) -> Any:
        for left in reversed(range(tries)):
            try:
                async with asyncio.timeout(deadline):
                    answer = await http.request(method, path, **how)
                return answer.raise_for_status().json()["data"]
            except TimeoutError:
                if not left:
                    raise TooSlowError from None
                await asyncio.sleep(1)
        return None

    async def call() -> Any:
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        body = {member: os.environ[name] for member, name in names.items()}
        base = os.environ["TURRIS_BASE_URL"]
        async with httpx.AsyncClient(base_url=base, timeout=None) as http:  # noqa: S113 - as above
            token = (await read(http, "POST", "/v1/auth/jwt", json=body))["accessToken"]
            return await read(
                http, "GET", "/v1/agents", headers={"authorization": f"Bearer {token}"}
            )

    return call


@pytest.mark.parametrize("check", _KINDS)
@pytest.mark.parametrize("tries", [1, 2, 3])
@pytest.mark.parametrize("deadline", [20.0, 120.0])
def test_a_deadline_around_each_try_is_a_timeout(
    turris: Sandbox, turris_time: TimeTravel, check: str, tries: int, deadline: float
) -> None:
    """The client recovers from a late answer, or gives up in the end."""
    case = _KINDS[check](check, turris, turris_time)
    verdict = anyio.run(case.aexamine, ClientUnderTest(call=_retrying_agents(tries, deadline)))
    assert verdict.outcome == "passed", verdict


@pytest.mark.parametrize("check", _KINDS)
@pytest.mark.parametrize("tries", [1, 2])
def test_a_deadline_of_minutes_is_too_long(
    turris: Sandbox, turris_time: TimeTravel, check: str, tries: int
) -> None:
    """Whether the client recovers or not."""
    case = _KINDS[check](check, turris, turris_time)
    call = _retrying_agents(tries, deadline=300)
    verdict = anyio.run(case.aexamine, ClientUnderTest(call=call))
    assert verdict.outcome == "failed", verdict
    assert "waited 300 s" in verdict.findings[0].got, verdict
    assert "its deadline is longer than 120 s" in verdict.findings[0].got, verdict


def _async_agents(deadline: float | None, pause: float) -> Callable[[], Any]:
    """The same over httpx's async client; a deadline may replace the look."""

    async def read(http: httpx.AsyncClient, method: str, path: str, **how: Any) -> Any:
        begun = time.monotonic()
        answer = await http.request(method, path, **how)
        if pause:
            await asyncio.sleep(pause)
        if deadline is None and time.monotonic() - begun > 60:
            raise TooSlowError
        return answer.raise_for_status().json()["data"]

    async def call() -> Any:
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        body = {member: os.environ[name] for member, name in names.items()}
        base = os.environ["TURRIS_BASE_URL"]
        try:
            async with (
                asyncio.timeout(deadline),
                httpx.AsyncClient(base_url=base, timeout=None) as http,  # noqa: S113 - the bug, or the deadline's part
            ):
                token = (await read(http, "POST", "/v1/auth/jwt", json=body))["accessToken"]
                headers = {"authorization": f"Bearer {token}"}
                return await read(http, "GET", "/v1/agents", headers=headers)
        except TimeoutError:
            raise TooSlowError from None

    return call


@pytest.mark.parametrize("check", _KINDS)
@pytest.mark.parametrize(("deadline", "outcome"), [(20.0, "passed"), (None, "not observed")])
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_a_deadline_of_the_event_loop_is_a_timeout(
    turris: Sandbox,
    turris_time: TimeTravel,
    *,
    check: str,
    deadline: float | None,
    outcome: str,
    pause: float,
) -> None:
    """It is right, whatever the client awaits; where only it can have been in time, no verdict."""
    case = _KINDS[check](check, turris, turris_time)
    verdict = anyio.run(case.aexamine, ClientUnderTest(call=_async_agents(deadline, pause)))
    assert verdict.outcome == outcome, verdict
    assert outcome == "passed" or "only turris_server can show (AR-33)" in verdict.reason
