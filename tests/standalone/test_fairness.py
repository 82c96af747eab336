"""One client, sandbox or receiver of a server never holds up another."""

import asyncio
import contextlib
import datetime as dt
import http.client
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import isawaitable
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from doubles.served_here import served

from mock_server.control.control import ControlCall
from mock_server.control.door import ControlDoor
from mock_server.control.table import CONTROLS
from mock_server.control.tenant import Tenant
from mock_server.serving.delivery_worker import MOST_OF_ONE, DeliveryWorker
from mock_server.serving.server import StandaloneSandbox
from mock_server.serving.server_facts import ServerFacts
from pytest_turris.core.options import Options
from pytest_turris.core.resources.collection import MANY
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

DEADLINE = 60
"""Seconds; only a failing test waits for so long."""


def get(server: StandaloneSandbox, sandbox: Sandbox) -> int:
    """The status of a list of agents, over the socket."""
    token = sandbox.tokens.issue(sandbox.client).text
    with contextlib.closing(http.client.HTTPConnection(urlsplit(server.base_url).netloc)) as one:
        one.request("GET", "/v1/agents", headers={"authorization": f"Bearer {token}"})
        return one.getresponse().status


def show(server: StandaloneSandbox, tenant: str) -> int:
    """The status of a control of a tenant."""
    headers = {"authorization": f"Bearer {server.control_token}"}
    with contextlib.closing(http.client.HTTPConnection(urlsplit(server.base_url).netloc)) as one:
        one.request("GET", f"/__sandbox__/tenants/{tenant}/clock", headers=headers)
        return one.getresponse().status


@pytest.fixture
def server() -> Iterator[StandaloneSandbox]:
    """A server with another tenant."""
    with served() as running:
        running.tenants.create("other", Options())
        yield running


@pytest.mark.parametrize("way", ["api", "control"])
def test_a_busy_sandbox_holds_up_no_other(server: StandaloneSandbox, way: str) -> None:
    """While a thread has the lock of one sandbox, its requests wait, and those of others do not."""
    other = server.tenants.get("other")
    assert other is not None
    call = get if way == "api" else show
    busy = server.sandbox if way == "api" else "default"
    with ThreadPoolExecutor(1) as client:
        with server.sandbox.lock:
            waiting = client.submit(call, server, busy)  # type: ignore[arg-type]  # as `way` says
            assert get(server, other.sandbox) == 200
            assert show(server, "other") == 200
            assert not waiting.done()
        assert waiting.result() == 200


def make_due(sandbox: Sandbox) -> None:
    """Upload a file, which is due a minute later."""
    sandbox.uploads.enqueue([])
    sandbox.clock.advance(dt.timedelta(minutes=1))


def add_many(sandbox: Sandbox) -> None:
    """Add as many records as a list of them takes long for."""
    for number in range(MANY):
        sandbox.policies.add(policy_number=f"P-{number}")


def no_more(sandbox: Sandbox) -> None:
    """As above, and reset the sandbox to what was before."""
    before = sandbox.snapshot()
    add_many(sandbox)
    sandbox.restore(before)


@pytest.mark.parametrize(
    ("is_long", "prepare", "leaves"),
    [
        (False, Sandbox.settle, False),
        (True, Sandbox.settle, True),
        (False, make_due, True),
        (False, add_many, True),
        (False, no_more, False),
    ],
)
def test_what_may_take_long_leaves_the_event_loop(
    is_long: bool, prepare: Callable[[Sandbox], None], leaves: bool
) -> None:
    """Neither a long body, nor a file that is due, nor thousands of records stop other clients."""
    sandbox = Sandbox()
    tenant = Tenant("one", sandbox, ServerFacts, audited=lambda: 1)
    prepare(sandbox)

    async def thread() -> int:
        found = tenant.carry_out(threading.get_ident, is_long=is_long)
        return found if isinstance(found, int) else await found

    assert (asyncio.run(thread()) != threading.get_ident()) is leaves


def test_the_work_of_one_tenant_takes_one_thread_at_a_time() -> None:
    """In the order of its requests, also after one that fails: other tenants find a thread."""
    tenant = Tenant("one", Sandbox(), ServerFacts, audited=lambda: 1)
    running, most, done = 0, 0, []

    def work(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        done.append(number)
        running -= 1
        if number == 1:
            raise ValueError

    async def all_of_it() -> list[BaseException | None]:
        begun = [tenant.carry_out(partial(work, n), is_long=n < 39) for n in range(40)]
        waiting = [one for one in begun if one is not None]
        return await asyncio.gather(*waiting, return_exceptions=True)

    results = asyncio.run(all_of_it())
    assert [*map(type, results)].count(ValueError) == 1
    assert (most, done) == (1, [*range(40)])


@pytest.mark.parametrize(("control", "leaves"), [("clock show", False), ("clock advance", True)])
def test_a_control_that_changes_a_sandbox_leaves_the_event_loop(
    server: StandaloneSandbox, control: str, leaves: bool
) -> None:
    """It may restore thousands of records, or make a whole file due."""
    row = CONTROLS[control]
    door = ControlDoor(server.tenants, server.control_token, lambda _line: None)
    request = Request(
        method=row.method,
        path=f"/__sandbox__{row.path}",
        headers=(("content-type", "application/json"),) if row.has_body else (),
        body=b'{"by": "1h"}' if row.has_body else b"",
    )

    async def asked() -> bool:
        answer = door.control(request)
        if not isawaitable(answer):
            return False
        return (await answer).status == 200

    assert asyncio.run(asked()) is leaves


@pytest.mark.parametrize(
    ("content_type", "leaves"),
    [("application/json", False), ("Multipart/Form-Data; boundary=x", True)],
)
def test_a_form_leaves_the_event_loop(
    server: StandaloneSandbox, content_type: str, leaves: bool
) -> None:
    """However short it is: its file may be packed, and take long to be read."""
    request = Request(
        method="POST",
        path="/v1/policies/upload",
        headers=(("content-type", content_type),),
        body=b"--x--",
    )

    async def asked() -> bool:
        answer = server._answers.answer(request)
        if not isawaitable(answer):
            return False
        return (await answer).status == 401

    assert asyncio.run(asked()) is leaves


def test_slow_receivers_of_one_tenant_leave_threads_for_others(
    server: StandaloneSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many controls of a tenant wait for them, those of another one send."""
    release, row = threading.Event(), CONTROLS["webhooks deliver"]
    busy = 0

    def run(_row: object, call: ControlCall, _given: object) -> None:
        nonlocal busy
        if call.tenant.name != "other":
            busy += 1
            release.wait(DEADLINE)

    monkeypatch.setattr("mock_server.control.wire.api.run_control", run)
    monkeypatch.setattr("mock_server.control.wire.api._written", lambda _: b"")
    door = ControlDoor(server.tenants, server.control_token, lambda _line: None)

    async def ask(tenant: str) -> int:
        path = f"/__sandbox__/tenants/{tenant}{row.path}"
        answer = door.control(Request(method=row.method, path=path))
        return (answer if isinstance(answer, Response) else await answer).status

    async def ask_all() -> tuple[int, int, set[int]]:
        slow = [asyncio.create_task(ask("default")) for _ in range(100)]
        quick = await asyncio.wait_for(ask("other"), DEADLINE)
        most = busy
        release.set()
        return most, quick, set(await asyncio.gather(*slow))

    most, quick, slow = asyncio.run(ask_all())
    assert (quick, slow) == (200, {200})
    assert most <= 8


def test_slow_receivers_have_a_bounded_number_of_threads() -> None:
    """And a sandbox with many of them holds up no other one's webhooks."""
    release, sent, slow, quick = threading.Event(), threading.Event(), Sandbox(), Sandbox()
    begun = threading.Semaphore(0)

    def send(deliveries: FakeDeliveries, endpoint_id: str) -> str:
        if deliveries is patient:
            sent.set()
        else:
            begun.release()
            release.wait()
        return endpoint_id

    many = FakeDeliveries(slow, [f"{number}" for number in range(3 * MOST_OF_ONE)], send)
    patient = FakeDeliveries(quick, ["one"], send)
    lines: list[str] = []
    worker = DeliveryWorker(log=lines.append, watched=lambda: [many, patient])  # type: ignore[list-item]  # doubles
    try:
        assert sent.wait(DEADLINE)
        names = [one.name for one in threading.enumerate()]
        assert all(begun.acquire(timeout=DEADLINE) for _ in range(MOST_OF_ONE))
        assert names.count("turris-delivery") <= MOST_OF_ONE + 2  # the search, and the quick one
        release.set()
        assert many.done.wait(DEADLINE)
    finally:
        release.set()
        worker.stop()
    assert not [line for line in lines if "bug" in line]


class FakeDeliveries:
    """One due delivery for each endpoint, which a function sends."""

    def __init__(
        self, sandbox: Sandbox, due: list[str], send: Callable[["FakeDeliveries", str], str]
    ) -> None:
        self.sandbox = sandbox
        self.engine = self
        self.done = threading.Event()
        self._due, self._left, self._send = due, len(due), send
        self._lock = threading.Lock()

    def claim_all(self) -> Iterator[str]:
        """All of them, once."""
        due, self._due = self._due, []
        yield from due

    def first(self, endpoint_id: str) -> str:
        """Stands for the claimed delivery."""
        return endpoint_id

    def send(self, taken: str) -> SimpleNamespace:
        """Send it."""
        self._send(self, taken)
        return SimpleNamespace(attempt=None, endpoint=None)

    def settle_first(self, _endpoint_id: str) -> bool:
        """There is no other one."""
        with self._lock:
            self._left -= 1
        if not self._left:
            self.done.set()
        return False
