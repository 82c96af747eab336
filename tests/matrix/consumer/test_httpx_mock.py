"""With pytest-httpx: it answers for its own hosts, and the sandbox for Turris."""

from typing import Any

import httpx
import pytest
from directory import Directory


def test_both(httpx_mock: Any, turris: Any) -> None:
    """Both answer in one test."""
    httpx_mock.add_response(url="https://api.partner.example/ping", text="pong")
    directory = Directory()
    with directory.http:
        assert directory.agents() == []
    assert httpx.get("https://api.partner.example/ping").text == "pong"
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
def test_server(httpx_mock: Any, turris_server: Any) -> None:
    """Requests to loopback pass if the mock is configured to let them."""
    directory = Directory()
    with directory.http:
        assert directory.agents() == []
