"""A hostile answer that shows the bug of a rule names the rule."""

import logging
from typing import Any

import pytest
from doubles.clients.broken_leaks import LogsTheToken
from doubles.clients.client_steps import Send, Token
from doubles.clients.good_client import GoodClient
from doubles.clients.sweeping import examine

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.time_travel.travel import TimeTravel


class TokenInTheUrl(GoodClient):
    """Sends its token in the query, too, and logs whole URLs."""

    def url(self, path: str, token: Token) -> str:
        """With the token."""
        return f"{super().url(path, token)}&access_token={token.text}"

    def note(self, send: Send, outcome: Any) -> None:
        """All of it."""
        logging.getLogger("client").warning("%s: %s", send.url, outcome)


@pytest.mark.parametrize(("client", "rule"), [(TokenInTheUrl, "TC-16"), (LogsTheToken, "TC-28")])
def test_a_leak_points_to_the_rule_about_it(
    turris: Sandbox, turris_time: TimeTravel, client: type[GoodClient], rule: str
) -> None:
    """What a client shows with every answer is another rule's matter, which is named."""
    verdict = examine(HostileCase("AR-14", turris, turris_time), "httpx", client)
    (finding, *_) = verdict.findings
    assert finding.expected == f"it shows nowhere: see {rule}", verdict
    assert ("not in the URL" in finding.fix) is (rule == "TC-16")
