"""The rows of the history."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.controlled import Controlled, Refused

from mock_server.store.store import Store
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.worlds import World


@pytest.fixture
def controlled(tmp_path: Path) -> Iterator[Controlled]:
    """A server that keeps its sandbox."""
    controlled = Controlled()
    store = controlled.tenants.store = Store.open(tmp_path / "turris.db", log=print)
    controlled.tenants.default.kept = store.attach(controlled.sandbox, "default")
    yield controlled
    store.close()


def test_each_change_is_a_step_with_its_name(controlled: Controlled) -> None:
    """A read is none."""
    controlled.call("POST", "/agents", npn="12345678")
    controlled.get("/agents")
    controlled.call("POST", "/clock/advance", by="1h")
    steps = controlled.get("/history")
    assert [(step["number"], step["what"]) for step in steps["items"]] == [
        (1, "began"),
        (2, "agents add"),
        (3, "clock advance"),
    ]
    assert steps["total"] == 3
    assert [step["number"] for step in controlled.get("/history", "limit=1&before=3")["items"]] == [
        2
    ]


def test_rewinding_and_taking_it_back(controlled: Controlled) -> None:
    """The state and the moment of the step; the step that rewinds has its own number."""
    controlled.call("POST", "/agents", npn="12345678")
    controlled.call("POST", "/clock/advance", by="1h")
    controlled.call("POST", "/agents", npn="87654321")
    step = controlled.call("POST", "/history/rewind", step=2)
    assert (step["number"], step["what"]) == (2, "agents add")
    assert controlled.get("/agents")["total"] == 1
    assert controlled.get("/clock")["aheadSeconds"] < 60
    assert controlled.get("/history", "limit=1")["items"][0]["what"] == "rewind to 2"
    controlled.call("POST", "/history/rewind", step=4)
    assert controlled.get("/agents")["total"] == 2
    assert controlled.get("/clock")["aheadSeconds"] > 3500


def test_a_step_as_a_file_to_share(controlled: Controlled) -> None:
    """A second server opens the moment, and the first one goes on."""
    controlled.call("POST", "/agents", npn="12345678")
    controlled.call("POST", "/clock/advance", by="1h")
    controlled.call("POST", "/agents", npn="87654321")
    world = World.read(json.dumps(controlled.get("/world", "step=2")).encode())
    assert world.about == "step 2: agents add"
    assert str(controlled.sandbox.client.client_secret) not in world.to_json()
    other = Sandbox(world.options)
    world.load_into(other)
    assert [agent.npn for agent in other.agents] == ["12345678"]
    assert abs(other.clock.now() - controlled.sandbox.clock.process_time()).seconds < 60
    assert len(controlled.sandbox.agents) == 2
    with pytest.raises(Refused, match=r"404 .*there is no step 9"):
        controlled.get("/world", "step=9")


def test_a_fork_is_a_tenant_of_a_past_moment(controlled: Controlled) -> None:
    """With credentials and a history of its own; the sandbox goes on, and so does the fork."""
    controlled.call("POST", "/agents", npn="12345678")
    controlled.call("POST", "/clock/advance", by="1h")
    controlled.call("POST", "/agents", npn="87654321")
    before = controlled.sandbox.snapshot()
    made = controlled.call("POST", "/history/fork", **{"step": 2, "as": "before-the-bug"})
    assert controlled.sandbox.snapshot() == before
    assert (made["name"], made["idleLimitSeconds"]) == ("before-the-bug", None)
    assert made["clientId"] == made["environment"]["TURRIS_CLIENT_ID"]
    assert made["clientId"] != controlled.sandbox.client.client_id
    found = controlled.tenants.find([made["clientId"]])
    assert found is not None
    assert found.name == "before-the-bug"
    path = made["controlPath"].removeprefix("/__sandbox__")
    assert [one["agent"]["npn"] for one in controlled.get(f"{path}/agents")["items"]] == [
        "12345678"
    ]
    assert controlled.get(f"{path}/clock")["aheadSeconds"] < 60
    controlled.call("POST", f"{path}/agents", npn="1")
    assert [step["what"] for step in controlled.get(f"{path}/history")["items"]][-1] == "agents add"
    controlled.call("POST", f"{path}/sandbox/reset")
    assert controlled.get(f"{path}/agents")["total"] == 1
    assert controlled.get("/agents")["total"] == 2
    assert controlled.call("POST", "/history/fork", step=1)["name"].startswith("step-1-")


def test_a_fork_that_cannot_be_made_leaves_no_tenant(controlled: Controlled) -> None:
    """The name is taken, there is no such step, or the state cannot be loaded."""
    controlled.call("POST", "/tenants", name="taken")
    with pytest.raises(Refused, match="there is a tenant 'taken'"):
        controlled.call("POST", "/history/fork", **{"step": 1, "as": "taken"})
    with pytest.raises(Refused, match=r"404 .*there is no step 9"):
        controlled.call("POST", "/history/fork", **{"step": 9, "as": "never"})

    def fail(_: Sandbox) -> None:
        raise SnapshotError("not whole")

    with pytest.raises(SnapshotError):
        controlled.tenants.create("never", controlled.sandbox.options, fill=fail)
    assert controlled.tenants.names == ("default", "taken")
    assert controlled.tenants.store is not None
    assert list(controlled.tenants.store.tenants()) == ["default", "taken"]


def test_unknown_step_is_refused(controlled: Controlled) -> None:
    """With the steps that are kept; nothing is changed, and that is no step."""
    with pytest.raises(Refused, match=r"404 .*there is no step 9; the steps from 1 to 1 are kept"):
        controlled.call("POST", "/history/rewind", step=9)
    with pytest.raises(Refused, match="400"):
        controlled.call("POST", "/history/rewind", step=0)
    assert controlled.get("/history")["total"] == 1


def test_server_without_a_store_has_no_history() -> None:
    """The refusal says how to start one that has."""
    controlled = Controlled()
    words = r"409 .*no history; start it with 'turris-sandbox serve"
    with pytest.raises(Refused, match=words):
        controlled.get("/history")
    with pytest.raises(Refused, match=words):
        controlled.call("POST", "/history/rewind", step=1)
    with pytest.raises(Refused, match=words):
        controlled.call("POST", "/history/fork", step=1)


def test_control_that_cannot_be_stored_is_a_503(controlled: Controlled) -> None:
    """It gives the store's reason, and does not claim that nothing was changed."""
    kept = controlled.tenants.default.kept
    assert kept is not None
    pages = kept._database.select("PRAGMA page_count")[0][0]
    kept._database.select(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        while True:
            controlled.call("POST", "/agents")

    with pytest.raises(Refused, match=r"503 .*disk is full; the outcome of this .* unknown"):
        fill()
    kept._database.select("PRAGMA max_page_count = 1000000")
