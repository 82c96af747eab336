"""Every fixture in a consumer's suite. It must pass with whatever else is installed."""

import asyncio
import datetime as dt
import socket
from typing import Any

import pytest
from directory import AsyncDirectory, Directory


def use(turris: Any, **options: Any) -> None:
    """Make two calls, which use one token."""
    turris.agents.add(npn="12345678")
    directory = Directory(**options)
    with directory.http:
        assert [directory.agents(), directory.agents()] == [["12345678"], ["12345678"]]
    assert turris.token_requests == 1


@pytest.mark.parametrize("turn", [1, 2])
def test_in_process(turris: Any, turn: int) -> None:
    """Each test has its own sandbox."""
    use(turris)


def test_server(turris_server: Any) -> None:
    """The same calls work over a socket."""
    use(turris_server.sandbox)


@pytest.mark.turris(tls=True)
def test_server_with_a_certificate(turris_server: Any) -> None:
    """The same calls work over TLS."""
    use(turris_server.sandbox, verify=turris_server.client_context())


def test_time(turris: Any, turris_time: Any) -> None:
    """The token is replaced after 55 minutes, for the test and for the sandbox."""
    directory = Directory()
    with directory.http:
        directory.agents()
        turris_time.to_refresh_point(plus=dt.timedelta(milliseconds=1))
        directory.agents()
    assert turris.token_requests == 2


def test_time_and_server(turris_server: Any, turris_time: Any) -> None:
    """Time also moves for a server."""
    directory = Directory()
    with directory.http:
        directory.agents()
        turris_time.advance(minutes=56)
        directory.agents()
    assert turris_server.sandbox.token_requests == 2


def test_async(turris: Any) -> None:
    """An async client works in an event loop that the test starts."""

    async def main() -> list[str]:
        directory = AsyncDirectory()
        async with directory.http:
            return await directory.agents()

    assert asyncio.run(main()) == []


def test_webhook(turris_webhooks: Any) -> None:
    """A signed webhook is accepted, a forged one is refused."""
    webhook = turris_webhooks.producer_agreement_executed()
    turris_webhooks.verify(webhook.body, webhook.headers)
    forged = webhook.tampered()
    with pytest.raises(ValueError, match="signature"):
        turris_webhooks.verify(forged.body, forged.headers)


def test_envelopes(turris: Any, turris_envelope: str) -> None:
    """The test runs once for each envelope."""
    assert turris.options.envelope == turris_envelope


@pytest.mark.xfail(strict=True, raises=RuntimeError, reason="no test reaches the real Turris")
def test_guard(turris: Any) -> None:
    """An attempt to reach the real Turris fails the test."""
    socket.getaddrinfo("public.api.live.turrisfi.com", 443)
