"""A store keeps every state of a sandbox: the last one over a crash, and each one before it."""

import copy
import datetime as dt
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import Mock

import pytest
from doubles.full_disk import FullDisk
from doubles.sandbox_client import MICROSECOND, Client
from doubles.sandbox_steps import STEPS, took
from doubles.waiting import eventually
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.store.databases.sqlite import SqliteDatabase
from mock_server.store.errors import HistoryError, StoreError
from mock_server.store.schema import SCHEMA_VERSION
from mock_server.store.store import Store
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

OPTIONS = Options(webhook_retries="stripe")
SERIES = st.lists(st.sampled_from(sorted(STEPS)), max_size=15)


def opened(path: Path) -> Store:
    """A store in a file."""
    return Store.open(path, log=print)


def crash(store: Store) -> None:
    """Let go of a store as a killed process does: nothing more is written."""
    store._stopping.set()
    store._thread.join()
    store._database.close()


def lasting(sandbox: Sandbox) -> dict[str, Any]:
    """What of a state lasts over a crash, without the order of rows where it means nothing."""
    state = copy.deepcopy(sandbox.snapshot())
    for part in ("journal", "randomness"):
        del state[part]
    del state["entity"]["settled_at"]
    state["entity"]["watch"].sort()
    state["outbox"]["waiting"].sort(key=lambda row: row["number"])
    return state


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "turris.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """An open store."""
    store = opened(path)
    yield store
    crash(store)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=SERIES)
def test_state_lasts_over_a_crash(steps: list[str]) -> None:
    """All that was answered is there; the sandbox goes on with the same credentials and tokens."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "turris.db"
        store = opened(path)
        client = Client(Sandbox(OPTIONS, name="first"))
        store.attach(client.sandbox, "default")
        client.token()
        took(client, steps)
        before = lasting(client.sandbox)
        crash(store)
        store = opened(path)
        again = Client(Sandbox(OPTIONS, name="second"))
        store.attach(again.sandbox, "default")
        assert lasting(again.sandbox) == before
        again.bearer = client.bearer
        assert took(again, ["list"])[0] is not None or list(again.sandbox.faults)
        store.close()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=SERIES)
def test_each_state_comes_back(steps: list[str]) -> None:
    """The state after any step is the one that was then; rewinding can be taken back."""
    with TemporaryDirectory() as folder:
        store = opened(Path(folder) / "turris.db")
        client = Client(Sandbox(OPTIONS))
        kept = store.attach(client.sandbox, "default")
        states = {kept._step: lasting(client.sandbox)}
        for step in ("token", *steps):
            took(client, [step])
            states[kept._step] = lasting(client.sandbox)
        last = kept.history.last
        for number, state in states.items():
            again = Sandbox(OPTIONS)
            again.restore(kept.state_at(number)[1])
            assert lasting(again) | {"clock": 0} == state | {"clock": 0}
        kept.rewind(1)
        assert lasting(client.sandbox) | {"clock": 0} == states[1] | {"clock": 0}
        kept.rewind(last)
        assert lasting(client.sandbox) | {"clock": 0} == states[last] | {"clock": 0}
        crash(store)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=SERIES, written=st.integers(0, 15))
def test_each_state_comes_back_after_a_crash(steps: list[str], written: int) -> None:
    """Those before the last write of the journal, and those after it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "turris.db"
        store = opened(path)
        client = Client(Sandbox(OPTIONS))
        kept = store.attach(client.sandbox, "default")
        client.token()
        states = {}
        for place, step in enumerate(steps):
            took(client, [step])
            if place == written:
                kept.flush()
            states[kept._step] = lasting(client.sandbox)
        crash(store)
        store = opened(path)
        kept = store.attach(Sandbox(OPTIONS), "default")
        assert kept.history.last == max(states, default=2)
        for number, state in states.items():
            again = Sandbox(OPTIONS)
            again.restore(kept.state_at(number)[1])
            assert lasting(again) | {"clock": 0} == state | {"clock": 0}
        store.close()


def test_everything_lasts_over_an_orderly_end(path: Path) -> None:
    """Journal and counters too, byte for byte; then request ids go on without a gap."""
    store, client = opened(path), Client(Sandbox(OPTIONS))
    store.attach(client.sandbox, "default")
    client.token()
    client.sandbox.seed("small_agency")
    for _ in range(250):
        client.get("/v1/agents")
    before = client.sandbox.snapshot()
    store.close()
    store, again = opened(path), Sandbox(OPTIONS)
    store.attach(again, "default")
    assert again.snapshot() == before
    store.close()


def test_request_ids_never_come_twice(path: Path) -> None:
    """After a crash they go on far beyond those that were not yet written."""
    store, client = opened(path), Client(Sandbox(OPTIONS, name="same"))
    store.attach(client.sandbox, "default")
    client.token()
    given_out = {client.get("/v1/agents").json()["requestId"] for _ in range(20)}
    crash(store)
    store, again = opened(path), Client(Sandbox(OPTIONS, name="same"))
    again.bearer = client.bearer
    store.attach(again.sandbox, "default")
    assert not given_out & {again.get("/v1/agents").json()["requestId"] for _ in range(40)}
    crash(store)


def test_a_read_is_no_step(store: Store) -> None:
    """It changes the journal alone, which is written soon after."""
    client = Client(Sandbox(Options(journal_limit=3)))
    kept = store.attach(client.sandbox, "default")
    client.token()
    before = kept.history.last
    for _ in range(5):
        client.get("/v1/agents")
    assert kept.history.last == before
    kept.flush()
    count = "SELECT MIN(number), MAX(number) FROM exchanges"
    assert store._database.select(count) == [(4, 6)]
    client.sandbox.journal.clear()
    kept.flush()
    assert store._database.select(count) == [(None, None)]


def test_journal_is_written_soon(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself, while nothing else happens."""
    monkeypatch.setattr("mock_server.store.store.FLUSH_SECONDS", 0.01)
    store, client = opened(path), Client(Sandbox(OPTIONS))
    store.attach(client.sandbox, "default")
    client.get("/v1/agents")
    count = "SELECT COUNT(*) FROM state WHERE part = 'journal.exchanges'"
    for _ in range(1000):
        if store._database.select(count) == [(1,)]:
            break
        time.sleep(0.01)
    crash(store)
    again, sandbox = opened(path), Sandbox(OPTIONS)
    again.attach(sandbox, "default")
    assert [exchange.status for exchange in sandbox.journal] == [401]
    crash(again)


def test_steps_say_what_they_were(store: Store) -> None:
    """A request by its line, a control by its name, and what time did."""
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    client.token()
    client.post("/v1/agents", {"npn": "1", "email": "a@example.com"})
    with kept.step("clock advance"):
        client.sandbox.clock.advance(minutes=1)
    with kept.step("nothing"):
        pass
    took(client, ["webhook", "agreement", "pass time", "deliver", "issue", "expiring"])
    with kept.step("license expires"):
        client.sandbox.clock.advance(hours=1)
    words = [step.what for step in kept.history.steps(50)]
    first = ["began", "POST /v1/auth/jwt -> 201", "POST /v1/agents -> 201", "clock advance"]
    assert words[:4] == first
    assert words[-1] == "license expires"
    assert {"webhooks", "a change", "time passed"} >= set(words[4:-1])
    assert [step.number for step in kept.history.steps(2, before=3)] == [1, 2]


def test_rewind_goes_to_the_moment_of_the_step(store: Store) -> None:
    """So a token that was valid then is valid."""
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    client.token()
    step = kept.history.last
    client.sandbox.clock.advance(hours=2)
    client.sandbox.agents.add()
    assert client.get("/v1/agents").status == 401
    kept.rewind(step)
    assert client.get("/v1/agents").json()["data"] == []
    assert len(client.sandbox.journal) == 3
    assert abs(client.sandbox.clock.offset) < dt.timedelta(minutes=1)


def test_unknown_steps_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text says which are kept."""
    monkeypatch.setattr("mock_server.store.kept_sandbox.KEPT_STEPS", 3)
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    for _ in range(5):
        client.ask_for_token()
    kept.flush()
    for number in (0, 3, 7):
        with pytest.raises(HistoryError, match=rf"no step {number}; the steps from 4 to 6 are"):
            kept.rewind(number)
    kept.rewind(4)


def test_secrets_that_it_did_not_issue_are_not_stored(store: Store, path: Path) -> None:
    """Wrong secrets, foreign tokens, tokens in URLs: in none of its files."""
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    canary = "canary-0123456789-canary"
    client.ask_for_token(secret=canary)
    client.ask_for_token(client_id="turris_sandbox_client_ffffffffffff", secret=canary)
    client.bearer = canary
    client.get(f"/v1/agents?access_token={canary}")
    client.post("/v1/agents", {"npn": "1"}, {"x-restricted-access-token": canary})
    kept.flush()
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert client.sandbox.client.client_secret.encode() in stored
    assert canary.encode() not in stored


def test_files_are_for_their_owner_alone(store: Store, path: Path) -> None:
    """They hold secrets, fakes as they are."""
    store.attach(Sandbox(), "default")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}


def test_second_process_is_refused(store: Store, path: Path) -> None:
    """Two servers on one file would overwrite each other's state."""
    with pytest.raises(StoreError, match="open in another process: stop that one first"):
        opened(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A text, another database, a folder, a store of a later version: each with its reason."""
    text = tmp_path / "text"
    text.write_text("no database " * 100)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE cats (name)")
    other.close()
    newer = opened(tmp_path / "newer.db")
    with newer._database.transaction():
        newer_version = SCHEMA_VERSION + 1
        newer._database.execute(
            "UPDATE meta SET value = ? WHERE name = 'schema'", str(newer_version)
        )
    newer.close()
    for name in ("text", "other.db"):
        (tmp_path / name).chmod(0o644)
    before = {name: (tmp_path / name).read_bytes() for name in ("text", "other.db")}
    for name, message in (
        ("text", "text is not a store: it is not a file of SQLite"),
        ("other.db", "not a store: it has tables of something else, such as 'cats'"),
        ("newer.db", f"of version {newer_version}, from a newer pytest-turris; this one reads "),
        (".", "cannot open the store .*: Is a directory"),
        ("missing/turris.db", "cannot open the store .*: No such file or directory"),
    ):
        with pytest.raises(StoreError, match=message):
            opened(tmp_path / name)
    for name, content in before.items():  # nothing of them was changed
        assert (tmp_path / name).read_bytes() == content
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644


def test_commit_that_fails_is_not_answered_and_made_up_for(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: calls fail until there is room, then all of it is written."""
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    client.token()
    database = store._database
    assert isinstance(database, SqliteDatabase)
    pages = database.select("PRAGMA page_count")[0][0]
    database.select(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        while True:
            client.sandbox.agents.add()

    with pytest.raises(StoreError, match="database or disk is full"):
        fill()
    with pytest.raises(StoreError, match="full"):
        client.get("/v1/agents")
    database.select("PRAGMA max_page_count = 1000000")
    assert client.get("/v1/agents").status == 200
    before = lasting(client.sandbox)
    last = kept.history.last
    crash(store)
    again = opened(path)
    sandbox = Sandbox(OPTIONS)
    assert again.attach(sandbox, "default").history.last == last
    assert lasting(sandbox) == before
    again.close()


def test_steps_that_cannot_be_carried_over_are_not_lost(store: Store, path: Path) -> None:
    """They stay in the log, and the tables have them once there is room."""
    client = Client(Sandbox(OPTIONS))
    kept = store.attach(client.sandbox, "default")
    made = [client.sandbox.agents.add().id for _ in range(3)]
    client.sandbox.settle()
    with store._database.transaction():
        store._database.execute("ALTER TABLE undo RENAME TO away")
    client.sandbox.agents.remove(made[0])
    client.sandbox.settle()
    with pytest.raises(StoreError, match="no such table"):
        kept.flush()
    with store._database.transaction():
        store._database.execute("ALTER TABLE away RENAME TO undo")
    kept.flush()
    assert store._database.select("SELECT COUNT(*) FROM log") == [(0,)]
    last = kept.history.last
    assert [len(kept.state_at(last - back)[1]["entity"]["agents"]) for back in (0, 1)] == [2, 3]


def test_journal_that_cannot_be_written_is_logged_once(path: Path) -> None:
    """And tried again; it holds up no one."""
    lines: list[str] = []
    store = Store.open(path, log=lines.append)
    kept = store.attach(Sandbox(), "default")
    store._database.close()
    for _ in range(3):
        store._flush(kept)
    assert len(lines) == 1
    assert lines[0].startswith("cannot write the journal: the store ")
    store._stopping.set()


def test_a_sandbox_that_cannot_be_written_keeps_no_other_from_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the end all journals are written that can be, and the error is raised then."""
    store = Store.open(path, log=print)
    store._stopping.set()
    bad, good = (Client(Sandbox(OPTIONS)) for _ in range(2))
    kept = store.attach(bad.sandbox, "bad")
    store.attach(good.sandbox, "good")
    good.get("/v1/agents")
    monkeypatch.setattr(kept, "flush", Mock(side_effect=StoreError("the disk is full")))
    with pytest.raises(StoreError, match="the disk is full"):
        store.close()
    store, sandbox = opened(path), Sandbox(OPTIONS)
    store.attach(sandbox, "good")
    assert [exchange.status for exchange in sandbox.journal] == [401]
    crash(store)


def test_a_reset_on_a_full_disk_is_made_up_for(path: Path) -> None:
    """Once there is room, the state after it is written, and the journal goes on."""
    database = FullDisk(path)
    store, client = Store(database, log=print), Client(Sandbox(OPTIONS))
    store._stopping.set()  # so that what was written stays in the log
    kept = store.attach(client.sandbox, "default")
    beginning = client.sandbox.snapshot()
    client.token()
    database.is_full = True
    for change in (client.token, client.token, lambda: client.sandbox.restore(beginning)):
        with pytest.raises(StoreError, match="full"):
            change()
    database.is_full = False
    kept.flush()
    client.get("/v1/agents")
    kept.flush()
    crash(store)
    store, sandbox = opened(path), Sandbox(OPTIONS)
    store.attach(sandbox, "default")
    assert [exchange.status for exchange in sandbox.journal][-1:] == [401]
    crash(store)


@pytest.mark.parametrize("error", [KeyError("a bug"), StoreError("the disk is full")])
def test_no_error_ends_the_thread_that_writes_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It logs one line, and writes the journals of all sandboxes as soon as it can."""
    monkeypatch.setattr("mock_server.store.store.FLUSH_SECONDS", 0.01)
    lines: list[str] = []
    written = threading.Event()
    store = Store.open(path, log=lines.append)
    good, bad = (Client(Sandbox(OPTIONS)) for _ in range(2))
    kept = store.attach(good.sandbox, "good")
    failures = iter([error] * 3)

    def flush() -> None:
        for failure in failures:
            raise failure
        written.set()

    monkeypatch.setattr(store.attach(bad.sandbox, "bad"), "flush", flush)
    bad.get("/v1/agents")
    assert written.wait(60)
    good.get("/v1/agents")
    eventually(lambda: not kept.is_unwritten)
    assert len(lines) == 1
    assert str(error) in lines[0]
    crash(store)


def test_a_query_that_fails_is_an_error_of_the_store(store: Store) -> None:
    """As a change that fails is: its callers do not know SQLite."""
    with pytest.raises(StoreError, match="no such table: missing"):
        store._database.select("SELECT * FROM missing")


def test_several_sandboxes_in_one_store(store: Store, path: Path) -> None:
    """Each with its options; a deleted one is gone with all that it had."""
    one, other = Sandbox(OPTIONS), Sandbox(Options(envelope="top_level"))
    store.attach(one, "default")
    store.attach(other, "other")
    other.agents.add()
    other.settle()
    one.settle()
    assert store.kept("other") is not None
    found = {name: row.options for name, row in store.tenants().items()}
    assert found == {"default": OPTIONS, "other": Options(envelope="top_level")}
    store.delete("other")
    store.delete("nobody")
    assert store.kept("other") is None
    other.agents.add()
    other.settle()
    assert store.tenants().keys() == {"default"}
    counts = store._database.select(
        "SELECT DISTINCT tenant FROM state UNION SELECT tenant FROM undo"
    )
    assert counts == [("default",)]


def test_deleted_sandbox_leaves_nothing_to_the_next_of_its_name(path: Path) -> None:
    """Neither its steps that wait, nor those of a request that ends after it."""
    store, old = opened(path), Sandbox(OPTIONS)
    kept = store.attach(old, "other")
    with old.lock:
        old.agents.add()
    with old.lock:
        old.agents.add()
        store.delete("other")
    kept.flush()
    store.attach(Sandbox(OPTIONS), "other")
    crash(store)
    store, new = opened(path), Sandbox(OPTIONS)
    kept = store.attach(new, "other")
    assert (len(new.agents), kept.history.last) == (0, 1)
    store.close()


def test_lock_is_as_reentrant_as_before(store: Store) -> None:
    """What is done inside one block is one step, also if it ends with an exception."""
    sandbox = Sandbox(OPTIONS)
    kept = store.attach(sandbox, "default")
    before = kept.history.last

    def change() -> None:
        with sandbox.lock, sandbox.lock:
            sandbox.agents.add()
            sandbox.clock.advance(MICROSECOND)
            assert kept.history.last == before
            raise KeyError

    with pytest.raises(KeyError):
        change()
    assert kept.history.last == before + 1


def test_steps_of_one_block(store: Store) -> None:
    """A step may end before the lock is let go; what comes next is another one."""
    sandbox = Sandbox(OPTIONS)
    kept = store.attach(sandbox, "default")
    begun = kept.history.count()
    with sandbox.lock:
        sandbox.seed("small_agency")
        kept.end_step()
        sandbox.agents.add()
    assert kept.history.count() == begun + 2
