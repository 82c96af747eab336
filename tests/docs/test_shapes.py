"""The shapes of answers on the reference page: what is sent, under both names."""

import os

import httpx
import pytest
from tables import operations, shapes

from pytest_turris import Sandbox
from pytest_turris.core.api.routes import OPERATIONS


@pytest.fixture(scope="module")
def tables() -> dict[str, set[str]]:
    """The rows of each model."""
    sections = shapes.as_markdown(tuple(OPERATIONS)).split("\n### ")[1:]
    return {text.partition("\n")[0]: set(text.splitlines()) for text in sections}


def test_a_member_has_both_names(tables: dict[str, set[str]]) -> None:
    """An id is ``_id`` in JSON and ``id`` in Python."""
    assert "| `_id` | `id` | id | yes |" in tables["Agent"]
    assert "| `agent` | `agent` | [`Agent`](#agent) | yes |" in tables["AgentEntry"]


def test_a_member_that_is_never_null_says_so(tables: dict[str, set[str]]) -> None:
    """No sample of an agent has a middle name, whatever ``optional_fields`` is."""
    assert "| `middleName` | `middle_name` | text | no, never `null` |" in tables["Agent"]
    assert "| `email` | `email` | text | no |" in tables["AgentEntry"]


def test_members_are_those_that_are_sent(turris: Sandbox, tables: dict[str, set[str]]) -> None:
    """Each member of a real answer is in the table, with or without a value; no internal one is."""
    turris.agents.add(npn="12345678")
    keys = {
        "clientId": os.environ["TURRIS_CLIENT_ID"],
        "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
    }
    with httpx.Client(base_url=turris.base_url) as client:
        token = client.post("/v1/auth/jwt", json=keys).json()["data"]["accessToken"]
        answer = client.get("/v1/agents", headers={"Authorization": f"Bearer {token}"})
    (entry,) = answer.json()["data"]
    members = {row.split("`")[1] for row in tables["AgentEntry"] if row.startswith("| `")}
    assert set(entry) <= members
    assert "deletedWith" not in members


@pytest.mark.parametrize(
    ("refusal", "known"),
    [
        ("400", {"by convention", "documented"}),
        ("401", {"by convention", "documented"}),
        ("410", {"by convention"}),
        ("413", {"assumed"}),
        ("422", {"assumed"}),
        ("429", {"by convention", "documented"}),
    ],
)
def test_a_refusal_follows_from_a_page_or_is_assumed(refusal: str, known: set[str]) -> None:
    """No guide says when a 413 comes, or what a key with another body gets."""
    rows = operations.as_markdown().splitlines()
    found = {row.rpartition("(")[2] for row in rows if row.startswith(f"| {refusal} |")}
    assert found == {f"{how}) |" for how in known}


def test_every_link_has_a_table(tables: dict[str, set[str]]) -> None:
    """Each answer, and each part of one."""
    text = shapes.as_markdown(tuple(OPERATIONS))
    names = {name.lower() for name in tables}
    answers = {row.answer.__name__.lower() for row in OPERATIONS if row.answer}
    linked = {part.partition(")")[0] for part in text.split("](#")[1:]}
    assert linked | answers <= names


def test_long_lists_of_values_are_cut(tables: dict[str, set[str]]) -> None:
    """The codes of all states would be wider than a page."""
    (row,) = [row for row in tables["Appointment"] if row.startswith("| `stateCode`")]
    assert "`AL`" in row
    assert "more" in row
    assert len(row) < 150
