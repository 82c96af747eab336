"""Tests that fail at first and are run again: each attempt has a sandbox of its own."""

import os
from collections import Counter
from typing import Any

from directory import Directory

ATTEMPTS: Counter[str] = Counter()


def attempt(turris: Any, test: str) -> None:
    """Use the sandbox, which is as it was at first; fail the first time."""
    turris.agents.add(npn="12345678")
    assert os.environ["TURRIS_CLIENT_ID"] == turris.client.client_id
    directory = Directory()
    with directory.http:
        assert directory.agents() == ["12345678"]
    ATTEMPTS[test] += 1
    assert ATTEMPTS[test] > 1, "the first attempt"


def test_in_process(turris: Any) -> None:
    """The environment is that of the new sandbox."""
    attempt(turris, "in process")


def test_server(turris_server: Any) -> None:
    """The server stays, the sandbox is another."""
    attempt(turris_server.sandbox, "server")


def test_time(turris: Any, turris_time: Any) -> None:
    """The clock begins once more, too."""
    before = turris_time.now
    attempt(turris, "time")
    turris_time.advance(hours=1)
    assert (turris_time.now - before).total_seconds() == 3_600
