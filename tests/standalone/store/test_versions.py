"""A store of an older version is brought to this one at its first start."""

import sqlite3
from pathlib import Path

import pytest

from mock_server.store.schema import SCHEMA_VERSION
from mock_server.store.store import Store
from pytest_turris.core.sandbox import Sandbox

DUMPS = Path(__file__).parent / "data"
"""What older versions wrote: three agents, each added in a step of its own."""


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_older_version(version: int, tmp_path: Path) -> None:
    """State, options and history are there; it goes on from them."""
    path = tmp_path / "turris.db"
    connection = sqlite3.connect(path)
    connection.executescript((DUMPS / f"version_{version}.sql").read_text())
    connection.close()
    store, sandbox = Store.open(path, print), Sandbox()
    kept = store.attach(sandbox, "default")
    assert [agent.npn for agent in sandbox.agents] == ["12345670", "12345671", "12345672"]
    assert sandbox.options.envelope == "data"  # of this start
    last = kept.history.last
    drawn = []
    for number in range(1, last + 1):
        state = kept.state_at(number)[1]
        drawn.append(state["randomness"]["drawn"]["object id"])
        assert len(state["entity"]["agents"]) == number - 1
    assert drawn == sorted(set(drawn))
    kept.rewind(2)
    assert [agent.npn for agent in sandbox.agents] == ["12345670"]
    made = sandbox.agents.add()
    store.close()
    store, again = Store.open(path, print), Sandbox()
    store.attach(again, "default")
    assert [agent.id for agent in again.agents][-1] == made.id
    store.close()
