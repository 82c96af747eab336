"""A series of attacks keeps what it has, whatever stops the rest; it never raises."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import werkzeug.test
from doubles.attack_harness import context_for
from doubles.receivers import guarded
from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ALLOWED, KEY, Backend, ReceiverApp
from doubles.receivers.odd_ports import hangs_up, listening

from pytest_turris.attacks.catalogue import ATTACKS, find_attack, profile
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import OUT_OF_TIME, run_attack
from pytest_turris.attacks.series.series import NOT_TRIED, AttackSeries, SeriesResult
from pytest_turris.attacks.series.server_notes import server_line
from pytest_turris.attacks.series.standing import Standing
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Verdict

QUICK = profile("quick")


def series_on(
    app_class: type[guarded.Counting],
    *,
    resets: bool = False,
    attacks: Any = QUICK,
    allowed_ip: str = "",
    by_client: bool = False,
    **options: Any,
) -> SeriesResult:
    """Attacks on an application."""
    backend = Backend()
    app = app_class([KEY], backend)
    reset = app.reset if resets else None
    target = werkzeug.test.Client(app) if by_client else app
    receiver = Receiver(target, "/webhooks", effects=backend.effects, reset=reset)
    context = context_for(backend, ReceiverApp, allowed_ip=allowed_ip)
    return AttackSeries(receiver, context, **options).run(attacks)


def outcomes(result: SeriesResult) -> dict[str, list[str]]:
    """The ids of the attacks by outcome."""
    found: dict[str, list[str]] = {}
    for verdict in result.verdicts:
        found.setdefault(verdict.outcome, []).append(verdict.check.id)
    return found


def test_good_receiver_passes_to_the_end() -> None:
    """Nothing stops a series on a receiver that accepts what is genuine; progress is reported."""
    seen: list[tuple[int, int, str]] = []

    def on_progress(done: int, total: int, verdict: Verdict) -> None:
        seen.append((done, total, verdict.check.id))

    result = series_on(guarded.Counting, on_progress=on_progress, total_seconds=600)
    assert set(outcomes(result)) == {"passed"}
    assert (result.complete, result.answered, result.interrupted) == (True, True, False)
    assert seen == [(i, len(QUICK), one.id) for i, one in enumerate(QUICK, 1)]


@pytest.mark.parametrize(
    ("app_class", "words"),
    [
        (guarded.LimitsRate, "429, Retry-After: 60 since WH-"),
        (guarded.LimitsRateWith503, "since WH-"),
        (guarded.Locks, "403 to genuine webhooks since WH-"),
    ],
)
def test_receiver_that_defends_itself_is_not_accused(
    app_class: type[guarded.Counting], words: str
) -> None:
    """The rest is not observed, with the way out; what came before is kept."""
    result = series_on(app_class)
    found = outcomes(result)
    assert set(found) == {"passed", "not observed"}
    assert found["passed"][0] == "WH-01"
    assert found["not observed"][-1] == QUICK[-1].id
    assert words in result.cause
    assert "reset=..." in result.cause
    assert not result.complete


def test_receiver_that_anyone_can_lock_is_told_so_once() -> None:
    """If a genuine webhook from another address is refused too, forgeries switch it off."""
    result = series_on(guarded.LocksEverybody)
    found = outcomes(result)
    assert set(found) == {"passed", "warned", "not observed"}
    assert len(found["warned"]) == 1
    warned = next(one for one in result.verdicts if one.outcome == "warned")
    assert "403 'locked', from another address too, after " in str(warned)
    assert "fix:       Count wrong signatures for each address" in str(warned)


@pytest.mark.parametrize("way", [{"allowed_ip": ALLOWED}, {"by_client": True}], ids=str)
def test_who_is_locked_is_not_known_without_another_address(way: dict[str, Any]) -> None:
    """None other is let in, or none can be chosen: nothing is said against the lock."""
    assert set(outcomes(series_on(guarded.LocksEverybody, **way))) == {"passed", "not observed"}


def test_receiver_that_stops_to_work_is_named() -> None:
    """Genuine webhooks are accepted after an odd one, but nothing comes of them."""
    backend = Backend()
    app = guarded.StopsWorking([KEY], backend)
    receiver = Receiver(app, "/webhooks", effects=backend.effects)
    context, standing = context_for(backend, ReceiverApp), Standing()
    standing.meet(receiver, context)
    assert not standing.after(find_attack("WH-84"), receiver, context, took_odd=True).got
    app.stopped = True
    aftermath = standing.after(find_attack("WH-84"), receiver, context, took_odd=True)
    assert aftermath.got == "200, and nothing done"
    assert standing.effect_missing
    assert "genuine webhooks have no effect since WH-84" in standing.cause


@pytest.mark.parametrize("app_class", [guarded.LimitsRate, guarded.Locks])
def test_receiver_that_can_be_reset_is_attacked_to_the_end(
    app_class: type[guarded.Counting],
) -> None:
    """Where the test clears what the receiver counted, each attack begins afresh."""
    result = series_on(app_class, resets=True)
    assert set(outcomes(result)) <= {"passed", "not observed"}
    assert len(outcomes(result)["passed"]) > len(QUICK) - 8
    assert result.verdicts[-1].outcome == "passed"


def test_limit_for_forgeries_proves_nothing() -> None:
    """429 is no proof that a signature was verified, though genuine webhooks are accepted."""
    result = series_on(guarded.LimitsForgeries)
    by_id = {verdict.check.id: verdict for verdict in result.verdicts}
    assert by_id["WH-41"].outcome == "not observed"
    assert "429 since WH-41" in by_id["WH-41"].reason
    assert by_id["WH-84"].outcome == "passed"
    assert result.complete


def test_receiver_that_an_attack_breaks() -> None:
    """The attack is named, and the rest is not observed."""
    result = series_on(guarded.Breaks)
    found = outcomes(result)
    assert (found["passed"], found["failed"]) == (["WH-01"], ["WH-02"])
    assert result.cause == "500 to genuine webhooks since WH-02-missing-header"
    kinds = {finding.kind: finding.level for finding in result.verdicts[1].findings}
    assert kinds["health"] == "must"


def test_receiver_that_recovers_is_attacked_on() -> None:
    """An attack that breaks it for one request is named, and the next one finds it well."""
    chosen = [find_attack(id_) for id_ in ("WH-01", "WH-02", "WH-41")]
    result = series_on(guarded.BreaksOnce, attacks=chosen)
    assert result.complete
    assert result.verdicts[1].outcome == "failed"
    assert result.verdicts[2].outcome == "passed"


class Dying:
    """A server that stops to listen at some request."""

    def __init__(self, server: BareServer, dies_at: Callable[[bytes], bool]) -> None:
        self.server, self.dies_at = server, dies_at
        original = server._inbox.receive

        def receive(headers: Any, body: bytes) -> int:
            if dies_at(body):
                server._listener.shutdown(socket.SHUT_RDWR)
                server._listener.close()
                raise OSError("gone")
            return original(headers, body)

        server._inbox.receive = receive  # type: ignore[method-assign]  # until the test ends


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[BareServer]:
    """A server that dies of an empty body (WH-55)."""
    monkeypatch.setattr("pytest_turris.attacks.series.standing._RESTART", 0.2)
    server = BareServer()
    Dying(server, lambda body: body == b"")
    with server.open():
        yield server


def test_receiver_that_dies_is_named(mortal: BareServer) -> None:
    """The attack that it died of fails; what follows is not observed, raw sockets included."""
    receiver = Receiver(mortal.url, effects=mortal.backend.effects)
    chosen = [find_attack(id_) for id_ in ("WH-01", "WH-02", "WH-55", "WH-56", "WH-68", "WH-71")]
    result = AttackSeries(receiver, context_for(mortal.backend, ReceiverApp)).run(chosen)
    assert [one.outcome for one in result.verdicts] == [
        "passed", "passed", "failed", "not observed", "not observed", "not observed",
    ]  # fmt: skip
    assert result.cause.startswith("gone since WH-55-empty-body: nothing listens at ")
    assert result.answered


@pytest.mark.parametrize("id_", ["WH-68", "WH-69", "WH-67", "WH-57", "WH-85", "WH-156"])
def test_no_attack_raises_for_a_dead_receiver(id_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever way an attack connects, a receiver that is gone is a finding, not a traceback."""
    monkeypatch.setattr("pytest_turris.attacks.series.standing._RESTART", 0.0)
    standing = Standing()
    standing.meet(Receiver(lambda body, headers: True), context_for(Backend(), ReceiverApp))
    with BareServer().open() as server:
        url = server.url
    verdict = run_attack(
        find_attack(id_), Receiver(url), context_for(Backend(), ReceiverApp), standing
    )
    assert verdict.outcome == "failed"
    assert "health" in {finding.kind for finding in verdict.findings}


def test_receiver_that_comes_back_is_attacked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is started again is accused of the one attack, and not lost."""
    lost: list[bool] = []
    backend = Backend()
    with BareServer().open() as server:
        context = context_for(server.backend, ReceiverApp)
        receiver = Receiver(server.url, effects=server.backend.effects)
        original = receiver.send

        def send(step: Any) -> Any:
            if step.label == "payload 7":
                lost.append(True)
            if lost and step.label == "":
                lost.clear()
                with listening(hangs_up) as port:
                    return Receiver(f"http://127.0.0.1:{port}/").send(step)
            return original(step)

        monkeypatch.setattr(receiver, "send", send)
        result = AttackSeries(receiver, context).run([find_attack("WH-72"), find_attack("WH-73")])
    assert backend.effects() == 0
    assert [one.outcome for one in result.verdicts] == ["failed", "passed"]
    assert "it came back later" in result.verdicts[0].findings[0].got


def test_receiver_that_falls_silent_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After silence nothing more is sent."""
    backend = Backend()
    receiver = Receiver(ReceiverApp([KEY], backend), "/webhooks")
    context = context_for(backend, ReceiverApp)
    standing = Standing()
    standing.meet(receiver, context)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        silent = Receiver(url, timeout=0.05)
        verdict = run_attack(find_attack("WH-02"), silent, context, standing)
    assert verdict.outcome == "failed"
    assert "does not answer" in standing.cause


def test_time_for_all_together_is_limited() -> None:
    """What was not reached is not observed, and says why."""
    result = series_on(guarded.Counting, total_seconds=0)
    assert set(outcomes(result)) == {"not observed"}
    assert {verdict.reason for verdict in result.verdicts} == {OUT_OF_TIME}
    assert (result.cause, result.answered) == (OUT_OF_TIME, False)


def test_interrupted_series_keeps_what_it_has() -> None:
    """Ctrl-C leaves the verdicts that there are, and the rest is not observed."""

    def on_progress(done: int, total: int, verdict: Verdict) -> None:
        if done == 3:
            raise KeyboardInterrupt

    result = series_on(guarded.Counting, on_progress=on_progress)
    assert result.interrupted
    assert [one.outcome for one in result.verdicts[:4]] == ["passed"] * 3 + ["not observed"]
    assert len(result.verdicts) == len(QUICK)
    assert result.verdicts[-1].reason == NOT_TRIED == result.cause


def test_ignored_attacks_are_left_out() -> None:
    """They are in the result, with the reason."""
    ignored = IgnoredChecks([attack.id for attack in ATTACKS])
    ignored.add("WH-02", "the proxy does it")
    result = series_on(guarded.Counting, ignored=ignored)
    assert result.verdicts[1].outcome == "ignored"
    assert result.complete


def test_what_the_server_does_is_one_line() -> None:
    """Servers that join, trim or alias are described once; nothing is said of a strict one."""
    with BareServer("WH-30").open() as server:
        receiver = Receiver(server.url, effects=server.backend.effects)
        context = context_for(server.backend, ReceiverApp)
        verdicts = [
            run_attack(find_attack(id_), receiver, context) for id_ in ("WH-01", "WH-30", "WH-31")
        ]
    assert server_line(verdicts) == (
        "its server (info): WH-30 underscore alias (204); WH-31 dash and underscore (204)"
    )
    assert server_line(verdicts[:1]) == ""
