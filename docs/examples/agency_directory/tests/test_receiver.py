"""The webhook receiver."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import methodcaller
from typing import Any

import pytest
from fastapi import FastAPI

from agency_directory import Agency, AsyncAgencyDirectory, Settings
from agency_directory.receiver import MAX_BODY, create_app
from agency_directory.store import AgencyStore


@pytest.fixture
def store() -> AgencyStore:
    return AgencyStore()


@pytest.fixture
def app(turris: Any, store: AgencyStore) -> Iterator[FastAPI]:  # noqa: ARG001 - opens the doors
    async def no_sleep(_seconds: float) -> None: ...

    settings = Settings.from_env()
    client = AsyncAgencyDirectory(settings, sleep=no_sleep)
    yield create_app(settings, client, store)
    asyncio.run(client.aclose())


@pytest.fixture
def agency(turris: Any) -> Any:
    return turris.associations.add(
        downstream_entity_name="ABC Insurance Agency",
        downstream_entity_npn="12345678",
        producer_code="PROD-001",
    )


@pytest.fixture
def webhook(turris_webhooks: Any, agency: Any) -> Any:
    """The webhook for a signed agreement of that agency."""
    return turris_webhooks.producer_agreement_executed(
        branchName="West", downstreamEntityAssociationId=agency.id
    )


def reads(turris: Any) -> int:
    return [exchange.operation for exchange in turris.journal].count("get_association")


def test_stores_what_the_api_says(
    app: FastAPI, store: AgencyStore, agency: Any, webhook: Any
) -> None:
    """A webhook is a hint: the agency is read from the API."""
    answer = webhook.send(app, "/webhooks")

    assert answer.status_code == 204
    assert {
        agency.id: Agency(agency.id, "ABC Insurance Agency", "12345678", "PROD-001")
    } == store.agencies


def test_does_not_believe_the_webhook(
    turris_webhooks: Any, app: FastAPI, store: AgencyStore, agency: Any
) -> None:
    """An old webhook, replayed, does not bring back a producer code that has changed."""
    old = turris_webhooks.producer_agreement_executed(
        producerCode="OLD", downstreamEntityAssociationId=agency.id
    )

    assert old.send(app, "/webhooks").status_code == 204
    assert store.agencies[agency.id].producer_code == "PROD-001"


@pytest.mark.parametrize(
    "forge",
    [
        methodcaller("tampered"),
        methodcaller("unsigned"),
        methodcaller("truncated_signature"),
        methodcaller("signed_with", "another-key"),
    ],
    ids=["tampered", "unsigned", "truncated signature", "another key"],
)
def test_refuses(
    turris: Any, app: FastAPI, store: AgencyStore, webhook: Any, forge: Callable[[Any], Any]
) -> None:
    """What Turris did not sign has no effect."""
    answer = forge(webhook).send(app, "/webhooks")

    assert answer.status_code == 401
    assert store.agencies == {}
    assert reads(turris) == 0


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        [""],
        ["{good}", "{good}"],
        ["{good}", "{bad}"],
        ["{bad}", "{good}"],
        ["{upper}"],
        ["sha256={good}"],
        ["{good}, {good}"],
        ["{good}\xe9"],
    ],
)
def test_does_not_say_why(app: FastAPI, turris_webhooks: Any, signatures: list[str]) -> None:
    """The response to any wrong signature is the same: 401 without a body."""
    webhook = turris_webhooks.sign(b"{")
    good = webhook.headers["X-Turris-Signature"]
    values = [s.format(good=good, bad="0" * 64, upper=good.upper()) for s in signatures]
    lines = tuple(("X-Turris-Signature", value) for value in values)

    answer = replace(webhook, header_lines=lines).send(app, "/webhooks")

    assert (answer.status_code, answer.body) == (401, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"webhookType": "TEST"}'.encode("utf-16"),
        b'{"webhookType": NaN}',
        b"[" * 100_000,
        b'{"webhookType": "PRODUCER_AGREEMENT_EXECUTED"}',
        b'{"webhookType": "PRODUCER_AGREEMENT_EXECUTED", "payload": []}',
        (
            b'{"webhookType": "PRODUCER_AGREEMENT_EXECUTED", "payload": '
            b'{"downstreamEntityAssociationId": "../agents"}}'
        ),
    ],
    ids=lambda body: str(body[:80]),
)
def test_signed_nonsense(turris: Any, app: FastAPI, turris_webhooks: Any, body: bytes) -> None:
    """A signed webhook that makes no sense is refused before the API is called."""
    assert turris_webhooks.sign(body).send(app, "/webhooks").status_code == 400
    assert len(turris.journal) == 0


def test_oversize(app: FastAPI, turris_webhooks: Any) -> None:
    """A body larger than any webhook is refused without checking its signature."""
    webhook = turris_webhooks.sign(b" " * (MAX_BODY + 1))

    assert webhook.send(app, "/webhooks").status_code == 413


def test_duplicates(turris: Any, app: FastAPI, store: AgencyStore, webhook: Any) -> None:
    """A delivery that arrives twice is acknowledged twice and processed once."""
    answers = [webhook.send(app, "/webhooks"), webhook.replayed().send(app, "/webhooks")]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert len(store.agencies) == 1
    assert reads(turris) == 1


def test_concurrent_duplicates(turris: Any, app: FastAPI, webhook: Any) -> None:
    """So is a delivery that arrives five times at once."""

    async def main() -> list[int]:
        sent = [webhook.asend(app, "/webhooks") for _ in range(5)]
        return [answer.status_code for answer in await asyncio.gather(*sent)]

    assert asyncio.run(main()) == [204] * 5
    assert reads(turris) == 1


def test_other_events(turris: Any, app: FastAPI, turris_webhooks: Any) -> None:
    """Events that the directory does not use are acknowledged without any effect."""
    webhook = turris_webhooks.entity_compliance_data_synchronized()

    assert webhook.send(app, "/webhooks").status_code == 204
    assert len(turris.journal) == 0


def test_unknown_agency(app: FastAPI, store: AgencyStore, turris_webhooks: Any) -> None:
    """An agency that the API does not return is not stored."""
    webhook = turris_webhooks.producer_agreement_executed(
        downstreamEntityAssociationId="507f1f77bcf86cd799439011"
    )

    assert webhook.send(app, "/webhooks").status_code == 204
    assert store.agencies == {}


def test_api_is_down(
    turris: Any, app: FastAPI, store: AgencyStore, agency: Any, webhook: Any
) -> None:
    """While the API is down, a delivery is not acknowledged, so that a resend can succeed."""
    outage = turris.faults.add("get_association", status=503, times=None)
    assert webhook.send(app, "/webhooks").status_code == 503

    turris.faults.remove(outage)
    assert webhook.send(app, "/webhooks").status_code == 204
    assert [agency.id] == list(store.agencies)
