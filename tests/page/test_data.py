"""The records: tables, filters, forms; saved states and files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from doubles.served_here import KeptLog
from doubles.visitor import Visitor

from mock_server.control.rows.state.record_models import RECORD_KINDS
from mock_server.control.tenants import DEFAULT
from mock_server.page.forms import text_of
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.store import Store
from pytest_turris.core.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _seeded(visitor: Visitor) -> None:
    visitor.server.tenants.default.reset()
    visitor.sandbox.seed("small_agency")


@pytest.mark.parametrize("name", [name.replace("_", "-") for name in RECORD_KINDS])
def test_every_collection_is_a_table(visitor: Visitor, name: str) -> None:
    """Each row opens its record, and its form has what the record holds."""
    seen = visitor.get(f"data/{name}")
    assert seen.status == 200
    ids = re.findall(rf'hx-get="[^"]*/data/{name}/([^"]+)"', seen.text)
    collection = visitor.sandbox.collection(RECORD_KINDS[name.replace("-", "_")])
    assert len(ids) == min(len(collection), 100)
    if ids:
        assert "<h2>" in visitor.get(f"data/{name}/{ids[0]}").text
        assert visitor.get(f"form/{name}/update?id={ids[0]}").status == 200


def test_a_record_has_a_page_of_its_own(visitor: Visitor) -> None:
    """A part for the dialog; if its address is opened, with the bar and the styles."""
    key = next(iter(visitor.sandbox.agents)).key
    assert "<html" not in visitor.get(f"data/agents/{key}", HX_Request="true").text
    assert "<html" in visitor.get(f"data/agents/{key}").text


def test_unknown_collections_and_records(visitor: Visitor) -> None:
    """They are refused in words."""
    assert visitor.get("data/nothing").status == 404
    assert visitor.get("data/agents/unknown").status == 404


def test_filters_and_their_errors(visitor: Visitor) -> None:
    """What fits is shown; what does not fit is said at its field."""
    agent = next(iter(visitor.sandbox.agents))
    text = visitor.get(f"data/agents?npn={agent.agent.npn}").text
    assert text.count(">Change<") == 1
    text = visitor.get("data/appointments?updatedAt=soon").text
    assert 'aria-invalid="true"' in text
    assert "Nothing fits" in text
    assert visitor.get("data/agents?offset=some").status == 200


def test_next_page(visitor: Visitor) -> None:
    """100 records at a time."""
    for _ in range(105):
        visitor.sandbox.agents.add()
    last = (len(visitor.sandbox.agents) - 1) // 100 * 100
    assert "offset=100" in visitor.get("data/agents").text
    assert "Next page" not in visitor.get(f"data/agents?offset={last}").text


def test_records_are_added_changed_and_removed(visitor: Visitor) -> None:
    """Only what was changed in the form is sent; what is emptied becomes null."""
    count = len(visitor.sandbox.agents)
    visitor.do("agents add", firstName="Ada", isArchived="true")
    assert len(visitor.sandbox.agents) == count + 1
    agent = next(iter(visitor.sandbox.agents))
    key = agent.key
    text = visitor.get(f"form/agents/update?id={key}").text
    assert f'name="was.firstName" value="{agent.agent.first_name}"' in text
    before = {"was.firstName": agent.agent.first_name, "was.externalId": "", "was.email": "a@b"}
    fields = {"id": key, "firstName": "Grace", "externalId": "", "email": ""}
    visitor.do("agents update", **fields, **before)
    changed = visitor.sandbox.agents.get(key)
    assert changed.agent.first_name == "Grace"
    assert changed.agent.last_name == agent.agent.last_name
    seen = visitor.do("agents update", id=key, isDeleted="perhaps", **{"was.isDeleted": "false"})
    assert 'aria-invalid="true"' in seen.text
    assert 'name="was.isDeleted" value="false"' in seen.text
    visitor.post("do/agents/remove", id=key)
    assert visitor.sandbox.agents.find(key) is None


def test_saved_states(visitor: Visitor) -> None:
    """Saved, restored, forgotten."""
    visitor.post("do/snapshots/save", name="before")
    assert "before" in visitor.get("data").text
    visitor.sandbox.agents.remove(next(iter(visitor.sandbox.agents)))
    count = len(visitor.sandbox.agents)
    visitor.post("do/snapshots/restore", name="before")
    assert len(visitor.sandbox.agents) == count + 1
    visitor.post("do/snapshots/remove", name="before")
    assert list(visitor.server.tenants.default.saved) == []


def test_a_file_is_exported_and_imported(visitor: Visitor) -> None:
    """It has no secret; the new credentials are shown once."""
    seen = visitor.get("export")
    assert seen.headers["content-disposition"] == 'attachment; filename="default.world.json"'
    assert "turris_sandbox_secret" not in seen.text
    count = len(visitor.sandbox.agents)
    visitor.server.tenants.default.reset()
    answer = visitor.post("do/snapshots/import", world=seen.text)
    assert len(visitor.sandbox.agents) == count
    assert str(visitor.sandbox.client.client_secret) in answer.text
    assert "expected JSON" in visitor.post("do/snapshots/import", world="{").text
    assert json.loads(seen.text)["format"] == "turris-sandbox world"


def test_values_as_texts() -> None:
    """As a person writes them."""
    values = {None: "", True: "true", 7: "7", "text": "text"}
    assert {value: text_of(value) for value in values} == values
    assert text_of(["a", "b"]) == "a\nb"
    assert json.loads(text_of([{"a": 1}])) == [{"a": 1}]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Visitor]:
    """A visitor of a server with a store."""
    log = KeptLog([])
    store, sandbox = Store.open(tmp_path / "state", log.warn), Sandbox()
    store.attach(sandbox, DEFAULT)
    with StandaloneSandbox(sandbox, ServerSettings(), log, store) as server:
        yield Visitor(server).signed_in()
    store.close()
    log.close()


def test_history_of_a_store(kept: Visitor) -> None:
    """Each step can be gone back to."""
    kept.post("do/sandbox/seed", name="small_agency")
    text = kept.get("data").text
    assert "sandbox seed" in text
    kept.post("do/history/rewind", step="1")
    assert len(kept.sandbox.agents) == 0
