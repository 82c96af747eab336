"""Clients that follow a next page, each in another common spelling of it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from doubles.clients.plain_client import PlainClient

from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.core.faults.hostile.next_pages import SPELLINGS, with_cursor, with_next_page
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Response
from pytest_turris.findings.verdict import Verdict
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.fixtures.token_case import TokenCase
from pytest_turris.time_travel.travel import TimeTravel

ROOT = Path(__file__).parents[2]
_URLS = (
    "next", "nextPage", "next_page_url", "links.next", "meta.next", "_links.next.href",
    "pagination.nextUrl", "paging.next", "@odata.nextLink", "Link",
)  # fmt: skip
_CURSORS = ("nextCursor", "meta.next_cursor", "pagination.nextPageToken")


class FollowsPages(PlainClient):
    """Gets pages as long as there is a next one."""

    def __init__(self, sandbox: Sandbox, spelling: str, *, own_only: bool = False) -> None:
        super().__init__(sandbox)
        self._spelling = spelling
        self._own_only = own_only

    def call(self) -> Any:
        """All pages."""
        base = httpx.URL(self.sandbox.base_url)
        url: httpx.URL | None = base.join(self.path)
        headers, agents = {"authorization": f"Bearer {self.token()}"}, []
        while url and (not self._own_only or url.host == base.host):
            answer = httpx.get(url, headers=headers).raise_for_status()
            agents += answer.json()["data"]
            following = self._following(answer)
            url = base.join(following) if following else None
        return agents

    def _following(self, answer: httpx.Response) -> Any:
        if self._spelling == "Link":
            return answer.links.get("next", {}).get("url")
        found = answer.json()
        # The one spelling with a dot in its name has nothing around it.
        steps = [self._spelling] if self._spelling[0] == "@" else self._spelling.split(".")
        for step in steps:
            found = found.get(step) or {}
        if found and self._spelling in _CURSORS:
            return f"{self.path}?cursor={quote(found)}"
        return found


@pytest.fixture
def examine(turris: Sandbox, turris_time: TimeTravel) -> Callable[..., Verdict]:
    """The verdict of a check on such a client."""

    def judge(check: str, spelling: str, *, own_only: bool = False) -> Verdict:
        kind = TokenCase if check.startswith("TC") else HostileCase
        client = FollowsPages(turris, spelling, own_only=own_only)
        return kind(check, turris, turris_time).examine(ClientUnderTest(call=client.call))

    return judge


@pytest.mark.parametrize("check", ["TC-35", "AR-38/other origin"])
@pytest.mark.parametrize("spelling", _URLS)
def test_a_link_to_another_origin_is_seen_in_each_spelling(
    examine: Callable[..., Verdict], check: str, spelling: str
) -> None:
    """The token goes with it, whatever the member is called."""
    verdict = examine(check, spelling)
    assert verdict.outcome == "failed", verdict
    assert "a credential went to" in verdict.findings[0].got


@pytest.mark.parametrize("spelling", [*_URLS, *_CURSORS])
def test_the_same_page_again_is_seen_in_each_spelling(
    examine: Callable[..., Verdict], spelling: str
) -> None:
    """A client that follows its own origin only still gets the first page again and again."""
    verdict = examine("AR-38/self-loop", spelling, own_only=True)
    assert verdict.outcome == "failed", verdict
    assert "AR-38/self-loop: " in verdict.findings[0].got


@pytest.mark.parametrize("check", ["TC-35", "TC-65", "AR-38"])
def test_a_client_without_pages_is_right(examine: Callable[..., Verdict], check: str) -> None:
    """Turris documents no pages, so that a client which follows nothing has nothing to mend."""
    verdict = examine(check, "no such member")
    assert verdict.outcome == "passed", verdict


def test_the_page_names_every_spelling() -> None:
    """The guide lists each member that an answer has, and so do the words of the rule."""
    page = (ROOT / "docs/how-to/token-clients.md").read_text(encoding="utf-8")
    response = with_cursor(with_next_page(Response(status=200, body=b'{"data":[]}'), "/"), "again")
    names = set(re.findall(r'"([^"]+)":', response.body.decode())) - {"data", "href"}
    assert [name for name in names if f"`{name}`" not in page and f"`{name}." not in page] == []
    urls = with_next_page(Response(status=200, body=b"{}"), "/").body.decode()
    assert [name for name in re.findall(r'"([^"]+)":', urls) if name not in SPELLINGS] == []


@pytest.mark.parametrize("body", [b"", b"[]", b"no JSON"])
def test_an_answer_that_is_not_an_object_keeps_its_body(body: bytes) -> None:
    """Only an object has members; the header names the page in any answer."""
    response = with_cursor(with_next_page(Response(status=200, body=body), "/"), "again")
    assert (response.body, dict(response.headers)) == (body, {"link": '</>; rel="next"'})
