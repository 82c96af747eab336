"""How long an answer may take follows from this receiver, this machine, and the clock."""

import contextlib
import select
import socket
import time
from collections.abc import Iterable

import pytest
from doubles.attack_harness import attack_in_process, attack_over_socket, context_for
from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ENTITY, KEY, Backend, ReceiverApp, StatusInbox

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.judging import pace
from pytest_turris.attacks.judging.pace import Elapsed, Pace, Stopwatch
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which everything takes ten times as long."""
    monkeypatch.setattr(pace, "slowdown", lambda: 10.0)


def test_quick_answers_need_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is looked at only when an answer seems slow."""
    monkeypatch.setattr(pace, "slowdown", lambda: pytest.fail("not needed"))
    assert Pace().limit(Elapsed(0.1)) == 2.0


@pytest.mark.usefixtures("busy")
def test_limit_grows_with_the_machine_and_the_receiver() -> None:
    """On a busy machine, and for a receiver that is slow by itself, an answer may take longer."""
    known = Pace()
    assert known.limit(Elapsed(3)) == 20.0
    known.learn(Elapsed(1.0))
    known.learn(Elapsed(0.5))
    assert known.limit(Elapsed(6)) == 50.0
    assert known.patience() == 4.5


@pytest.mark.usefixtures("busy")
def test_seconds_of_a_virtual_clock_are_what_they_are() -> None:
    """No other process takes them, and a delay that is known does not grow either."""
    assert Pace().limit(Elapsed(3, virtual=True)) == 2.0
    assert Pace().limit(Elapsed(3), within=2.5) == 2.5


def test_real_seconds_of_genuine_webhooks_do_not_widen_a_virtual_limit() -> None:
    """A busy machine takes its time for them, and a sleep on the virtual clock takes none of it."""
    known = Pace()
    known.learn(Elapsed(0.4))
    assert known.limit(Elapsed(2.1, virtual=True)) == 2.0
    known.learn(Elapsed(0.2, virtual=True))
    assert known.limit(Elapsed(2.1, virtual=True)) == 2.6


def test_slowdown_is_never_less_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast machine gets no stricter limit; a slow one a wider one."""
    assert pace.slowdown() >= 1.0
    moments = iter([0.0, 1.0])
    monkeypatch.setattr(pace, "steady_time", lambda: next(moments))
    assert pace.slowdown() == 50.0


def test_stopwatch_knows_its_clock() -> None:
    """Under time travel a sleep is virtual, and takes no real time."""
    assert Stopwatch().elapsed().virtual is False
    travel = TimeTravel(Sandbox())
    travel.start()
    try:
        watch = Stopwatch()
        time.sleep(60)
        elapsed = watch.elapsed()
    finally:
        travel.stop()
    assert (elapsed >= 60, elapsed.virtual) == (True, True)


class SlowOnce(ReceiverApp):
    """Is slow the first time, as on a machine that was busy just then."""

    left = 1

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if len(body) > 1_000_000 and self.left:
            self.left -= 1
            time.sleep(60)
        return super().receive(lines, body)


class SlowAlways(SlowOnce):
    """Is slow each time."""

    left = 100


@pytest.mark.parametrize(("app_class", "outcome"), [(SlowOnce, "passed"), (SlowAlways, "failed")])
def test_slowness_has_to_repeat(app_class: type[ReceiverApp], outcome: str) -> None:
    """A receiver that is slow once is asked again before it is accused."""
    travel = TimeTravel(Sandbox())
    travel.start()
    try:
        verdict = attack_in_process("WH-108", app_class, advance=travel.advance)
    finally:
        travel.stop()
    assert verdict.outcome == outcome, verdict
    assert [finding.kind for finding in verdict.findings] == (
        ["time"] if outcome != "passed" else []
    )


class Slow(StatusInbox):
    """Takes a third of a second for every webhook, genuine or not, as on a busy machine."""

    def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> int:
        select.select([], [], [], 0.3)
        return super().receive(headers, body)


@pytest.mark.parametrize("id_", ["WH-68", "WH-156"])
def test_late_answer_is_compared_with_that_to_others(
    id_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes as late without forged or unfinished requests did not wait for them."""
    monkeypatch.setattr(Pace, "patience", lambda _: 0.2)
    server = BareServer()
    server._inbox = Slow([KEY], ENTITY, server.backend.act)
    server._inbox.backend = server.backend
    with server.open():
        verdict = attack_over_socket(id_, server)
    assert verdict.outcome == "passed", str(verdict)


class Lingers(BareServer):
    """Serves one after another, and waits for each client to close first, as RFC 9112, 9.6 says."""

    def _converse(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as reader, contextlib.suppress(OSError):
            line.settimeout(2)
            line.sendall(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % self._answer(reader))
            line.shutdown(socket.SHUT_WR)
            line.recv(1)


def test_server_that_waits_for_the_client_to_close_is_not_accused() -> None:
    """Those who sent forged webhooks close when they have their answers, as clients do."""
    with Lingers("WH-68").open() as server:
        verdict = attack_over_socket("WH-156", server)
    assert verdict.outcome == "passed", str(verdict)


class SlowForAll(ReceiverApp):
    """Takes three seconds for everything."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        time.sleep(3)
        return super().receive(lines, body)


def test_receiver_that_is_slow_by_itself_is_not_accused() -> None:
    """Turris waits for 30 seconds: three for each webhook are fine, and four for some are."""
    travel = TimeTravel(Sandbox())
    travel.start()
    try:
        backend = Backend()
        receiver = Receiver(SlowForAll([KEY], backend), "/webhooks", effects=backend.effects)
        context = context_for(backend, ReceiverApp)
        verdicts = [run_attack(find_attack(id_), receiver, context) for id_ in ("WH-02", "WH-108")]
    finally:
        travel.stop()
    assert [verdict.outcome for verdict in verdicts] == ["passed", "passed"]
