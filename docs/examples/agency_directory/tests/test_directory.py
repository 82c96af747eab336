"""The operations of the directory."""

from typing import Any

import pytest

from agency_directory import (
    Agency,
    AgencyDirectory,
    ApiError,
    NotFoundError,
    Settings,
    UnauthorizedError,
)


def test_lists_agents(turris: Any, directory: AgencyDirectory) -> None:
    """All agents are listed."""
    turris.agents.add(npn="12345678", email="avery@abc.example")
    turris.agents.add(npn="87654321")

    agents = directory.agents()

    assert [agent.npn for agent in agents] == ["12345678", "87654321"]
    assert [agent.email for agent in agents] == ["avery@abc.example", None]


def test_finds_agents_by_npn(turris: Any, directory: AgencyDirectory) -> None:
    """The list can be filtered by NPN."""
    turris.agents.add(npn="12345678")
    wanted = turris.agents.add(npn="87654321")

    assert [wanted.id] == [agent.id for agent in directory.agents(npn="87654321")]


def test_finds_agents_of_an_agency(turris: Any, directory: AgencyDirectory) -> None:
    """The list can be filtered by agency."""
    agency = turris.associations.add()
    turris.agents.add()
    wanted = turris.agents.add(downstream_entity_association_id=agency.id)

    assert [wanted.id] == [agent.id for agent in directory.agents(association_id=agency.id)]


def test_one_agent(turris: Any, directory: AgencyDirectory) -> None:
    """An agent is found by id."""
    wanted = turris.agents.add(npn="12345678")

    assert directory.agent(wanted.id).npn == "12345678"


def test_no_such_agent(directory: AgencyDirectory) -> None:
    """An unknown id raises NotFoundError, with the details that support asks for."""
    with pytest.raises(NotFoundError) as caught:
        directory.agent("507f1f77bcf86cd799439011")

    assert (caught.value.status, caught.value.error_type) == (404, "not_found")
    assert caught.value.messages
    assert caught.value.request_id != "unknown"


@pytest.mark.parametrize("agent_id", ["", "..", "../auth/test-oauth", "507f1f77bcf86cd79943901?"])
def test_no_id(turris: Any, directory: AgencyDirectory, agent_id: str) -> None:
    """A string that is not an id never becomes part of a path."""
    with pytest.raises(ValueError, match="not an id"):
        directory.agent(agent_id)

    assert len(turris.journal) == 0


def test_adds_an_agent(turris: Any, directory: AgencyDirectory) -> None:
    """An added agent is stored."""
    added = directory.add_agent(npn="12345678", email="avery@abc.example")

    assert [added.id] == [agent.id for agent in turris.agents]


def test_finds_agencies_by_domain(turris: Any, directory: AgencyDirectory) -> None:
    """Agencies are found by the domain of their contact."""
    turris.associations.add(email="kim@other.example")
    wanted = turris.associations.add(
        downstream_entity_name="ABC Insurance Agency",
        downstream_entity_npn="12345678",
        email="dana.lee@abc.example",
        producer_code="PROD-001",
    )

    agencies = directory.agencies(email_domain="abc.example")

    assert [Agency(wanted.id, "ABC Insurance Agency", "12345678", "PROD-001")] == agencies


def test_one_agency(turris: Any, directory: AgencyDirectory) -> None:
    """An agency is found by the id of its association."""
    wanted = turris.associations.add(producer_code="PROD-001")

    assert directory.agency(wanted.id).producer_code == "PROD-001"


def test_invites(turris: Any, directory: AgencyDirectory, invitation: dict[str, Any]) -> None:
    """Each invitation is a separate operation with its own idempotency key."""
    directory.invite_agency(**invitation)
    directory.invite_agency(**invitation | {"email": "kim@other.example"})

    keys = [
        exchange.request_headers["idempotency-key"]
        for exchange in turris.journal
        if exchange.operation == "invite"
    ]
    assert len(set(keys)) == 2
    assert len(turris.associations) == 2


def test_invite_url_is_not_shown(directory: AgencyDirectory, invitation: dict[str, Any]) -> None:
    """Anyone who reads an invite URL, for example in a log, can accept the invitation."""
    sent = directory.invite_agency(**invitation, by_email=False)

    assert sent.url
    assert sent.url not in repr(sent)


def test_refused_invite(
    turris: Any, directory: AgencyDirectory, invitation: dict[str, Any]
) -> None:
    """An invitation that Turris finds invalid is not sent again."""
    with turris.expect_refusal(operation="invite"), pytest.raises(ApiError) as caught:
        directory.invite_agency(**invitation | {"email": "nobody"})

    assert caught.value.messages
    assert not caught.value.transient
    assert [exchange.operation for exchange in turris.journal].count("invite") == 1
    assert len(turris.associations) == 0


def test_credentials_stay_out_of_urls(turris: Any, directory: AgencyDirectory) -> None:
    """The secret is sent in a body and the token in a header; neither is in a URL."""
    directory.agents(npn="12345678")

    token, agents = turris.journal
    assert (token.method, token.target) == ("POST", "/v1/auth/jwt")
    assert (agents.method, agents.target) == ("GET", "/v1/agents?npn=12345678")
    assert agents.request_headers["authorization"].startswith("Bearer ")


def test_wrong_secret_is_not_shown(turris: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Wrong credentials fail once; neither the error nor the log contains the secret."""
    caplog.set_level("DEBUG")
    settings = Settings.from_env()
    secret = "not-the-secret-of-the-sandbox"
    wrong = Settings(settings.base_url, settings.client_id, secret, secret)

    with AgencyDirectory(wrong) as directory, pytest.raises(UnauthorizedError) as caught:
        directory.agents()

    assert len(turris.journal) == 1
    assert secret not in "".join([str(caught.value), repr(caught.value), caplog.text])
