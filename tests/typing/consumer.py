# pyright: strict
"""A consumer's tests, as far as a type checker sees them: nothing here is ever run."""

import datetime as dt

import httpx
import pytest

from pytest_turris import (
    AttackRun,
    HostileCase,
    Options,
    Sandbox,
    Server,
    SignatureScheme,
    SignedWebhook,
    TimeTravel,
    TokenCase,
    TurrisWebhooks,
)


@pytest.mark.turris(token_ttl=dt.timedelta(minutes=5), envelope="top_level")
def test_sandbox(turris: Sandbox) -> None:
    """What a test asks of the sandbox."""
    agent = turris.agents.add(npn="12345678")
    npns: list[str] = [known.npn for known in turris.agents]
    secret: str = turris.client.client_secret
    doors: tuple[str, ...] = turris.doors
    moment: dt.datetime = turris.clock.now()
    count: int = turris.token_requests
    statuses: list[int] = [exchange.status for exchange in turris.journal]
    turris.faults.add("list_agents", delay=dt.timedelta(seconds=30), times=2)
    with turris.expect_refusal(status=401):
        httpx.get(turris.base_url)
    turris.agents.remove(agent)
    print(npns, secret, doors, moment, count, statuses)  # noqa: T201 - uses them


def test_time(turris: Sandbox, turris_time: TimeTravel) -> None:
    """Time travel."""
    turris_time.to_refresh_point(plus=dt.timedelta(milliseconds=1))
    turris_time.advance(minutes=5)
    now: dt.datetime = turris_time.now
    turris_time.move_to(now + dt.timedelta(days=1))


def test_server(turris_server: Server) -> None:
    """The live server."""
    url: str = turris_server.base_url
    file: str | None = turris_server.ca_file
    sandbox: Sandbox = turris_server.sandbox
    httpx.get(url, verify=turris_server.client_context())
    print(file, sandbox)  # noqa: T201 - uses them


def receive(body: bytes, headers: dict[str, str]) -> bool:
    """A receiver."""
    return bool(body and headers)


def test_webhooks(turris_webhooks: TurrisWebhooks) -> None:
    """The factory of webhooks."""
    webhook: SignedWebhook = turris_webhooks.producer_agreement_executed(branchName="West")
    forged: SignedWebhook = webhook.tampered()
    scheme: SignatureScheme = SignatureScheme(header="X-Signature")
    status: int = forged.send(receive, "/webhooks").status_code
    print(scheme, status)  # noqa: T201 - uses them


def test_attacks(turris_webhook_attack: AttackRun) -> None:
    """One attack."""
    turris_webhook_attack.run(receive, "/webhooks", effects=lambda: 0)


def test_tokens(turris_token_case: TokenCase) -> None:
    """One rule for token clients."""
    turris_token_case.run(lambda: None)


def test_hostile(turris_hostile_answer: HostileCase) -> None:
    """One hostile answer."""
    turris_hostile_answer.run(lambda: None)


def test_direct_use() -> None:
    """A sandbox without a fixture."""
    sandbox = Sandbox(Options(seed=7, share_ssl_context=False), name="direct")
    sandbox.restore(sandbox.snapshot())
