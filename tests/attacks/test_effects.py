"""What a receiver did is counted in every style, and looked at when the receiver is quiet."""

import asyncio
import dataclasses
import datetime as dt
import queue
import threading
import uuid
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.attacked_project import run as run_project
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.effects import EffectsProbe, Settle, changes, frozen
from pytest_turris.attacks.hooks import HookError
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.receivers.in_process.event_loop import close_loop


@dataclasses.dataclass
class Row:
    """A row of a table, as an application may hold it."""

    id: int
    status: str


class Model:
    """A row as an ORM holds it, compared by identity."""

    def __init__(self, **members: object) -> None:
        self.__dict__.update(members, _state=object())


A, B, C = Row(1, "a"), Row(2, "b"), Row(3, "c")


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        (3, 5, 2),
        (5, 3, 2),
        (True, False, 1),
        ([], [A, B], 2),
        ([A, B], [B, A], 0),
        ([A], [Row(1, "b")], 1),
        ([A, A], [A], 1),
        ([A, B], [B, C], 1),
        ({"x", "y"}, {"x", "z"}, 1),
        ((1, 2), (1, 3), 1),
        ({1: "a"}, {1: "b", 2: "c"}, 2),
        ({"rows": 1, "mails": 1}, {"rows": 3, "mails": 2}, 3),
        ({"rows": [A], "mails": []}, {"rows": [A, B], "mails": [C]}, 2),
        ({"t": {1: {"a": 1}, 2: {"a": 1}}}, {"t": {1: {"a": 2, "b": 3}, 2: {"a": 9}}}, 2),
        ({1: {"a": 1, "b": 1}}, {1: {"a": 2, "b": 2}}, 1),
        ("COMPLIANT", "NOT_COMPLIANT", 1),
        (dt.date(2026, 1, 1), dt.date(2026, 1, 1), 0),
        ([Model(id=1, status="a")], [Model(id=1, status="a")], 0),
        ([Model(id=1, status="a")], [Model(id=1, status="b")], 1),
        (iter([1, 2]), iter([2, 1, 3]), 1),
    ],
)
def test_changes_between_two_looks(before: object, after: object, count: int) -> None:
    """An added, changed or removed row is one; the order does not matter."""
    assert changes(frozen(before), frozen(after)) == count


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(_JSON, _JSON)
def test_changes_are_symmetric_and_none_for_equal_snapshots(one: object, other: object) -> None:
    """Whatever is returned, equal looks have no change between them, and the order is no matter."""
    assert changes(frozen(one), frozen(one)) == 0
    assert changes(frozen(one), frozen(other)) == changes(frozen(other), frozen(one)) >= 0


def test_a_snapshot_does_not_change_with_what_it_was_made_of() -> None:
    """An application may return its own list, and its own rows."""
    rows = [Row(1, "a")]
    probe = EffectsProbe(lambda: rows)
    assert probe.count() == 0
    rows[0].status = "b"
    assert probe.count() == 1
    rows.append(Row(2, "c"))
    assert probe.count() == 2


def test_deep_and_cyclic_objects_have_an_end() -> None:
    """Relations of an ORM lead back to where they began."""
    parent, child = Model(name="p"), Model(name="c")
    vars(parent)["child"], vars(child)["parent"] = child, parent
    assert changes(frozen([parent]), frozen([parent])) == 0
    unique = uuid.UUID(int=1)
    assert frozen(unique) is unique


class LateBackend(Backend):
    """Work that a thread does a moment after the answer."""

    def act(self, key: str, entry: dict[str, Any]) -> None:
        threading.Timer(0.05, super().act, [key, entry]).start()


@pytest.mark.parametrize("id_", ["WH-01", "WH-32", "WH-84", "WH-92"])
@pytest.mark.parametrize("settle", [None, dt.timedelta(seconds=0.2)])
def test_receiver_that_works_after_its_answer(id_: str, settle: Settle) -> None:
    """An effect that is expected is waited for, and none is taken for that of the next webhook."""
    backend = LateBackend()
    receiver = Receiver(
        ReceiverApp([KEY], backend), "/webhooks", effects=backend.effects, settle=settle
    )
    found = run_attack(find_attack(id_), receiver, context_for(backend, ReceiverApp))
    assert found.outcome == "passed", found


def test_late_effect_of_a_forgery_is_seen() -> None:
    """With ``settle`` a receiver that acts on a forgery after its refusal is caught."""
    acted: list[bytes] = []

    def verify(body: bytes, headers: Any) -> bool:
        threading.Timer(0.05, acted.append, [body]).start()
        return "x-turris-signature" in headers

    context = context_for(Backend(), ReceiverApp)
    receiver = Receiver(verify, effects=lambda: len(acted), settle=0.3)
    verdict = run_attack(find_attack("WH-02"), receiver, context)
    assert "effects" in {found.kind for found in verdict.findings}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_settle_may_be_a_function(*, asynchronous: bool) -> None:
    """A function that returns when the receiver is quiet, such as ``queue.join``, is called."""
    jobs: queue.Queue[int] = queue.Queue()
    rows: list[int] = []

    def work() -> None:
        for job in iter(jobs.get, 0):
            rows.append(job)
            jobs.task_done()

    async def join() -> None:
        jobs.join()

    thread = threading.Thread(target=work)
    thread.start()
    probe = EffectsProbe(lambda: len(rows), join if asynchronous else jobs.join)
    assert probe.count() == 0
    for job in range(1, 20):
        jobs.put(job)
    probe.note_request()
    assert probe.count() == 19
    jobs.put(0)
    thread.join()
    close_loop()


def test_receiver_that_is_never_quiet_is_not_waited_for_forever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A counter that always moves has an end of the wait."""
    monkeypatch.setattr("pytest_turris.attacks.effects._LONGEST", 0.05)
    ticks = iter(range(10_000))
    probe = EffectsProbe(lambda: next(ticks), 0.004)
    probe.note_request()
    assert probe.count() > 0


def test_clock_passes_while_the_receiver_is_waited_for() -> None:
    """Work that sleeps on a clock that stands still goes on when the sender's time passes."""
    passed: list[dt.timedelta] = []
    rows: list[int] = []

    def pass_time(step: dt.timedelta) -> None:
        passed.append(step)
        if sum(passed, dt.timedelta()) >= dt.timedelta(milliseconds=50):
            rows.append(1)

    probe = EffectsProbe(lambda: len(rows[:1]), None, pass_time)
    assert probe.count() == 0
    assert passed == []
    assert probe.count(at_least=1) == 1
    assert sum(passed, dt.timedelta()) == dt.timedelta(milliseconds=50)


def test_tasks_of_the_application_go_on_while_it_is_waited_for() -> None:
    """An ASGI application may do its work in a task, after the answer."""
    rows: list[int] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        rows.append(1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError
        app.task = asyncio.create_task(work())  # type: ignore[attr-defined]  # kept from the collector
        await send({"type": "http.response.start", "status": 202})
        await send({"type": "http.response.body"})

    async def effects() -> int:
        await asyncio.sleep(0)
        return len(rows)

    context = context_for(Backend(), ReceiverApp)
    verdict = run_attack(find_attack("WH-01"), Receiver(app, effects=effects), context)
    close_loop()
    assert "effects" not in {found.kind for found in verdict.findings}, verdict


def test_effects_of_another_loop_say_what_to_call() -> None:
    """What belongs to the loop of an async test cannot be awaited elsewhere."""

    async def test() -> None:
        future = asyncio.get_running_loop().create_future()

        async def effects() -> int:
            await future
            return 0

        with pytest.raises(HookError, match=r"await turris_webhook_attack.arun"):
            EffectsProbe(effects).count()
        future.cancel()

    asyncio.run(test())
    close_loop()


def test_own_runtime_error_of_a_hook_is_passed_on() -> None:
    """Only what is about event loops gets the hint."""

    async def effects() -> int:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        EffectsProbe(effects).count()
    close_loop()


STYLES = {
    "number": "lambda: len(done)",
    "snapshot": "lambda: done",
    "async": "count",
    "dict": "lambda: {'rows': list(done)}",
}
LINES = ("import pytest", "from receiver import verify, done", "async def count():",
         "    return len(done)")  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_every_style_in_a_test(pytester: pytest.Pytester, style: str) -> None:
    """A number or a snapshot, sync or async."""
    result = run_project(
        pytester, *LINES, "def test_receiver(turris_webhook_attack):",
        f"    turris_webhook_attack.run(verify, effects={STYLES[style]})",
        args=("-k", "WH-01 or WH-02 or WH-05"),
    )  # fmt: skip
    result.assert_outcomes(passed=3)


def test_forged_update_is_seen_in_a_snapshot(pytester: pytest.Pytester) -> None:
    """A row that a forgery changes is an effect, although the number of rows stays the same."""
    lines = (
        "rows = {'1': 'COMPLIANT'}",
        "def believe(body, headers):",
        "    rows['1'] = hash(body)",
        "    return 'x-turris-signature' in headers",
        "def test_receiver(turris_webhook_attack):",
    )
    effects = {"len(rows)": 0, "rows": 1}
    for look, failures in effects.items():
        call = f"    turris_webhook_attack.run(believe, effects=lambda: {look})"
        result = run_project(pytester, *lines, call, args=("-k", "WH-02"))
        assert ("nothing done" in result.stdout.str()) == bool(failures)


ASYNC = """
import asyncio, hashlib, hmac, os
import anyio, httpx, pytest

class App:
    # Its lock and its store belong to the loop of the test.
    def __init__(self):
        self.lock, self.rows = asyncio.Lock(), []

    async def count(self):
        async with self.lock:
            return len(self.rows)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise ValueError
        message = await receive()
        key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
        expected = hmac.new(key, message["body"], hashlib.sha256).hexdigest().encode()
        given = dict(scope["headers"]).get(b"x-turris-signature", b"")
        genuine = hmac.compare_digest(given, expected)
        if genuine:
            async with self.lock:
                await asyncio.sleep(0)
                self.rows.append(message["body"])
        await send({"type": "http.response.start", "status": 204 if genuine else 401})
        await send({"type": "http.response.body"})

def body(test):
    def run(turris_webhook_attack):
        async def held():
            app = App()
            async with app.lock:  # binds the lock to this loop
                pass
            await test(turris_webhook_attack, app)
        asyncio.run(held())
    return run

@body
async def test_application(attack, app):
    await attack.arun(app, effects=app.count)

@body
async def test_client(attack, app):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        await attack.arun(client, "/", effects=app.count)
"""


@pytest.mark.parametrize("kind", ["application", "client"])
def test_attack_from_an_async_test(pytester: pytest.Pytester, kind: str) -> None:
    """``arun`` runs the application, its client and the hooks on the loop of the test."""
    result = run_project(
        pytester, ASYNC, args=("-k", f"{kind} and (WH-01 or WH-02 or WH-05)", "-W", "error")
    )
    result.assert_outcomes(passed=3)


TRIO = """
import pytest, trio

rows = []

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError
    rows.append(await receive())
    await trio.sleep(0)
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})

def test_receiver(turris_webhook_attack):
    trio.run(lambda: turris_webhook_attack.arun(app, effects=lambda: len(rows)))
"""


def test_attack_from_trio(pytester: pytest.Pytester) -> None:
    """On trio too, with twenty at once; a finding fails the test as it does from ``run``."""
    result = run_project(
        pytester, TRIO, args=("-k", "WH-02 or WH-85", "-o", "turris_attack_profile=full")
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*WH-02-missing-header: failed (must)*"])


def test_ignored_attack_from_an_async_test(pytester: pytest.Pytester) -> None:
    """It is skipped before anything is sent."""
    result = run_project(
        pytester, "import asyncio, pytest", "@pytest.mark.turris(ignore={'WH-02': 'the proxy'})",
        "def test_receiver(turris_webhook_attack):",
        "    asyncio.run(turris_webhook_attack.arun(lambda body, headers: 1 // 0))",
        args=("-k", "WH-02"),
    )  # fmt: skip
    result.assert_outcomes(skipped=1)


EVENTS: list[tuple[str, str]] = [
    ("{'PRODUCER_AGREEMENT_EXECUTED'}", ""),
    ("['AGENT_COMPLIANCE_STATUS_CHANGE']", ""),
    ("'PRODUCER_AGREEMENT_EXECUTED'", ""),
    ("{'AGENT_COMPLIANCE_STATUS_CHANGE': {'npn': '12345678'}}", ""),
    ("{'AGENT_COMPLIANCE_STATUS_CHANGE': {'payload': [{'npn': '12345678'}]}}", ""),
    ("{'AGENT_COMPLIANCE'}", "no event 'AGENT_COMPLIANCE': did you mean AGENT_COMPLIANCE_"),
    ("{'PRODUCER_AGREEMENT_EXECUTED': 'x'}", "must be a dict of members, not str"),
    ("()", "events= is empty"),
    ("{'PRODUCER_AGREEMENT_EXECUTED': {'producerCode': 'A', 'payload': 'x'}}", ""),
]


@pytest.mark.parametrize(("events", "words"), EVENTS)
def test_events_are_names_or_a_mapping(pytester: pytest.Pytester, events: str, words: str) -> None:
    """Names need no members; a mistake is named; batches of an attack keep required members."""
    result = run_project(
        pytester, "import pytest", "from receiver import verify, done",
        "@pytest.mark.turris(attack_profile='full')",
        "def test_receiver(turris_webhook_attack):",
        f"    turris_webhook_attack.run(verify, effects=lambda: len(done), events={events})",
        args=("-k", "WH-01 or WH-100 or WH-72", "-W", "ignore"),
    )  # fmt: skip
    output = result.stdout.str()
    assert words in output
    if not words:
        assert "TypeError" not in output
