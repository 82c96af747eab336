"""The five trips of the architecture page, made: the code does the steps in the page's order."""

import contextlib
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import httpx
import pytest
from doubles.served_here import served

from pytest_turris import Sandbox, TurrisWebhooks

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
OURS = (str(ROOT / "pytest_turris"), str(ROOT / "mock_server"))

NO_FUNCTIONS = {"mock_server", "turris_webhook_attack"}

Steps = dict[str, int]
"""The functions that were called, by their qualified names, with the place of the first call."""


@contextlib.contextmanager
def traced() -> Iterator[Steps]:
    """A block whose first call of each of our functions is noted, in all threads that it starts."""
    seen: Steps = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            seen.setdefault(frame.f_code.co_qualname, len(seen))

    before, threads_before = sys.getprofile(), threading.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)
        threading.setprofile(threads_before)


def steps_of(trip: str) -> list[str]:
    """The functions in a trip's paragraph, written as ``Class.name`` or ``name_of_several``."""
    paragraph = TEXT.partition(f"**{trip}")[2].partition("\n\n")[0]
    names = re.findall(r"`([A-Z]\w+\.[a-z_]+|[a-z]+_[a-z_]+)`", paragraph)
    return [name for name in dict.fromkeys(names) if name not in NO_FUNCTIONS]


def check(trip: str, seen: Steps, *, fewest: int) -> None:
    """Hold what was called against the page."""
    steps = steps_of(trip)
    assert len(steps) >= fewest, "the page names too few functions to be held to anything"
    assert [step for step in steps if step not in seen] == []
    assert sorted(steps, key=seen.__getitem__) == steps


def _headers(turris: Sandbox, base_url: str) -> dict[str, str]:
    own = turris.client
    credentials = {"clientId": own.client_id, "clientSecret": str(own.client_secret)}
    answer = httpx.post(f"{base_url}/v1/auth/jwt", json=credentials)
    return {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}


def test_a_request(turris: Sandbox) -> None:
    """From httpx to an operation and the journal."""
    headers = _headers(turris, turris.base_url)
    with traced() as seen:
        httpx.get(f"{turris.base_url}/v1/agents", headers=headers)
    check("A request.", seen, fewest=6)


def test_a_webhook(turris: Sandbox, turris_webhooks: TurrisWebhooks) -> None:
    """From a license that lapses to the receiver."""
    turris_webhooks.register(lambda body, headers: True, event="AGENT_COMPLIANCE_STATUS_CHANGE")
    turris.seed("small_agency")
    turris_webhooks.drain()
    with traced() as seen:
        turris.clock.advance(days=900)
        assert turris_webhooks.drain().delivered
    check("A webhook,", seen, fewest=8)


def test_an_attack(pytester: pytest.Pytester) -> None:
    """From the fixture to the verdict."""
    pytester.makepyfile(
        """
        def test_it(turris_webhook_attack):
            turris_webhook_attack.run(lambda body, headers: True)
        """
    )
    with traced() as seen:
        pytester.inline_run("-k", "WH-01-", "-p", "no:randomly", "-p", "no:asyncio")
    check("An attack.", seen, fewest=5)


def test_an_option(pytester: pytest.Pytester) -> None:
    """From the ini file and a marker to the sandbox."""
    pytester.makeini("[pytest]\nturris_rate_window = sliding\n")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.turris(idempotency_conflict="replay")
        def test_it(turris):
            assert turris.tokens.issue(turris.client)
        """
    )
    with traced() as seen:
        pytester.inline_run("-p", "no:randomly", "-p", "no:asyncio").assertoutcome(passed=1)
    check("An option.", seen, fewest=3)


def test_a_request_to_the_server() -> None:
    """From the socket to the sandbox of a tenant."""
    with traced() as seen, served() as server:
        headers = _headers(server.sandbox, server.base_url)
        seen.clear()
        assert httpx.get(f"{server.base_url}/v1/agents", headers=headers).status_code == 200
    check("A request to `turris-sandbox serve`.", seen, fewest=4)
