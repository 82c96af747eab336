"""The JSON that a record keeps follows every change of the record."""

import contextlib
import itertools
import json

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.entity.records import COLLECTIONS
from pytest_turris.core.entity.seeds import SeedData
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import encode


def test_an_answer_follows_a_change() -> None:
    """A record that was answered before is answered as it is now, alone and in a list."""
    client = Client(Sandbox())
    client.token()
    agent = client.sandbox.agents.add(first_name="Ana")
    before = client.get(f"/v1/agents/{agent.id}").json()["data"]
    client.sandbox.agents.update(agent, first_name="Bea", email="bea@agency.example")
    (listed,) = client.get("/v1/agents").json()["data"]
    assert (before["agent"]["firstName"], "email" in before) == ("Ana", False)
    assert (listed["agent"]["firstName"], listed["email"]) == ("Bea", "bea@agency.example")


def test_a_copy_has_an_encoding_of_its_own() -> None:
    """An answer that shows a record otherwise does not change what others show."""
    agent = Sandbox().agents.add(email="ana@agency.example")
    kept = agent.encoded()
    copy = agent.model_copy(update={"email": None})
    assert "email" not in json.loads(copy.encoded())
    assert agent.encoded() is kept


def test_an_encoding_follows_the_options() -> None:
    """Options may change while a server runs: members without a value are ``null`` from then on."""
    client = Client(Sandbox())
    client.token()
    client.sandbox.agents.add()
    (without,) = client.get("/v1/agents").json()["data"]
    client.sandbox.change_options(Options(optional_fields="null"))
    (with_nulls,) = client.get("/v1/agents").json()["data"]
    assert "email" not in without
    assert with_nulls["email"] is None


@pytest.mark.parametrize("seed", ["small_agency", "messy"])
def test_an_encoding_is_what_goes_over_the_wire(seed: SeedData) -> None:
    """In both forms, each record has the same members and texts as ``wire``."""
    sandbox = Sandbox()
    sandbox.seed(seed)
    sandbox.products.add(members={"title": "of the test's own", "note": None})
    records = [one for name in COLLECTIONS for one in getattr(sandbox, name)]
    assert len({type(one) for one in records}) > 5
    for record, nulls in itertools.product(records, (False, True)):
        assert record.encoded(nulls=nulls) == encode(record.wire(nulls=nulls))


def test_an_encoding_is_no_part_of_a_record() -> None:
    """Records are compared, and kept in snapshots, without it."""
    agents = Sandbox().agents
    agent = agents.add()
    rows, copy = agents.snapshot(), agent.model_copy()
    agent.encoded()
    assert agent == copy
    assert agents.snapshot() == rows


def test_an_encoding_follows_a_change_that_is_taken_back() -> None:
    """A change that failed as a whole is in no later answer, even if it was encoded meanwhile."""
    sandbox = Sandbox()
    agent = sandbox.agents.add(email="ana@agency.example")
    before = agent.encoded()

    def change() -> None:
        sandbox.agents.update(agent, email="bea@agency.example")
        assert agent.encoded() != before
        raise ZeroDivisionError

    with contextlib.suppress(ZeroDivisionError):
        sandbox.undo.run(change)
    assert agent.encoded() == before
