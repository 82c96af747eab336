"""``turris-sandbox attack --start``: a receiver as a program, with its effects in sight."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from doubles.command_line import EVENT, KEY, Started, run
from doubles.served_sandbox import COMMAND

from mock_server import interruption
from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.series.series import AttackSeries, SeriesResult


@pytest.fixture
def started(tmp_path: Path) -> Started:
    """A good receiver that is started by the command."""
    return Started(tmp_path)


@pytest.fixture
def attacks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A profile of the attacks that the test names."""
    chosen = tuple(map(find_attack, request.param))
    monkeypatch.setattr("mock_server.attacking.run.profile", lambda _: chosen)


def choose(*ids: str) -> pytest.MarkDecorator:
    """Only these attacks."""
    return pytest.mark.parametrize("attacks", [ids], indirect=True)


@choose("WH-01", "WH-02", "WH-84")
def test_effects_are_seen(started: Started, attacks: None) -> None:
    """With a command for the effects, what is as wanted has passed."""
    done = started.attack("--effects", f"cat {started.effects}")
    assert done.exit_code == 0, done.output
    assert set(started.outcomes().values()) == {"passed"}


def test_attacks_are_chosen_one_by_one(started: Started) -> None:
    """An attack runs without the others of its profile, whichever that is."""
    done = started.attack("--only", "wh-84", "--only", "WH-125", "--only", "WH-84")
    assert done.exit_code == 0, done.output
    assert list(started.outcomes()) == ["WH-84", "WH-125"]
    assert started.reported()["options"]["only"] == ["WH-84", "WH-125"]


def test_in_a_pipe_each_verdict_is_a_whole_line(started: Started) -> None:
    """Programs read it, and nothing is cut off, however narrow the terminal is said to be."""
    done = started.attack("--only", "WH-84", COLUMNS="30")
    lines = [line.split("\t") for line in done.output.splitlines() if "\t" in line]
    assert lines[0] == ["Attack", "Level", "Verdict", "Reason"]
    assert lines[1][:3] == ["WH-84-immediate-duplicate", "must", "as wanted"]


def test_an_attack_that_does_not_exist_is_not_chosen(started: Started) -> None:
    """The nearest is named, and nothing is sent."""
    done = started.attack("--only", "WH-999")
    assert (done.exit_code, "did you mean 'WH-" in done.output) == (2, True), done.output


@choose("WH-01", "WH-02", "WH-84")
def test_without_effects_nothing_passes(started: Started, attacks: None) -> None:
    """What is answered as it should be has a word of its own, and the output says why."""
    done = started.attack()
    assert done.exit_code == 0, done.output
    assert set(started.outcomes().values()) == {"as wanted"}
    assert "3 as wanted" in done.output
    assert "--effects" in done.output


@choose("WH-02", "WH-84")
def test_effects_of_a_url(started: Started, attacks: None) -> None:
    """A URL tells them as well, as JSON of any shape."""
    done = started.attack("--effects-url", started.url)
    assert done.exit_code == 0, done.output
    assert set(started.outcomes().values()) == {"passed"}


@choose("WH-40", "WH-47", "WH-48", "WH-60", "WH-61", "WH-63", "WH-64")
def test_keys_are_changed(started: Started, attacks: None) -> None:
    """Attacks on keys get receivers with other keys, and see their effects in the common file."""
    previous = ("--previous-secret-env", "TURRIS_WEBHOOK_SECRET_BEFORE")
    done = started.attack("--effects", f"cat {started.effects}", *previous)
    assert done.exit_code == 0, done.output
    assert set(started.outcomes().values()) == {"passed"}


@choose("WH-60", "WH-64")
def test_two_keys_need_two_variables(started: Started, attacks: None) -> None:
    """A receiver that reads one key is not accused of it."""
    done = started.attack("--effects", f"cat {started.effects}")
    assert started.outcomes() == {"WH-60": "skipped", "WH-64": "passed"}
    assert "--previous-secret-env" in done.output


@choose("WH-47", "WH-64")
def test_effects_that_are_elsewhere_are_not_judged(started: Started, attacks: None) -> None:
    """What a receiver with other keys did cannot be seen where each has effects of its own."""
    elsewhere = f"{started.command}-$PORT"
    probe = f"cat {started.effects}-{started.port} 2>/dev/null || true"
    done = started.attack("--effects", probe, start=elsewhere)
    assert done.exit_code == 0, done.output
    assert set(started.outcomes().values()) == {"passed"}


@choose("WH-64")
def test_a_receiver_that_cannot_run_twice_is_left_alone(started: Started, attacks: None) -> None:
    """A command that ignores $PORT is no receiver that refuses to start."""
    fixed = f"PORT={started.port} {started.command}"
    done = started.attack(start=fixed)
    assert done.exit_code == 0, done.output
    assert started.outcomes() == {"WH-64": "skipped"}
    assert "--start runs no second receiver" in started.reported()["verdicts"][0]["reason"]


@choose("WH-90", "WH-93", "WH-94")
def test_work_fails(started: Started, attacks: None) -> None:
    """The command is run with each mode, and with ``none`` at the end."""
    failing = f"echo >{started.effects}.mode"
    done = started.attack("--effects", f"cat {started.effects}", "--failing-work", failing)
    assert set(started.outcomes().values()) == {"passed"}, done.output
    assert Path(f"{started.effects}.mode").read_text(encoding="utf-8") == "none\n"


@choose("WH-90")
def test_mode_has_a_place_in_the_command(started: Started, attacks: None) -> None:
    """``{mode}`` stands for it."""
    failing = f"echo {{mode}} >{started.effects}.mode"
    started.attack("--effects", f"cat {started.effects}", "--failing-work", failing)
    assert started.outcomes() == {"WH-90": "passed"}


@choose("WH-01")
def test_processes_are_ended(started: Started, attacks: None) -> None:
    """Nothing listens at the URL afterwards, not even a child of the shell."""
    done = started.attack(start=f"{started.command} & wait")
    assert done.exit_code == 0, done.output
    assert not started.listens()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_receiver_too(started: Started, number: signal.Signals) -> None:
    """As Ctrl-C does: what ``kill`` or a closed terminal ends leaves nothing behind."""
    arguments = ["--profile", "full", "--json", str(started.report), "--start", started.command]
    with subprocess.Popen(
        [*COMMAND, "attack", started.url, *arguments],
        env=os.environ | {"TURRIS_WEBHOOK_SECRET": KEY},
        stdout=subprocess.PIPE,
        # nohup ignores SIGHUP, and its children too.
        preexec_fn=partial(signal.signal, number, signal.SIG_DFL),  # noqa: PLW1509 - takes no lock
    ) as process:
        while not started.listens() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        process.communicate()
    assert process.returncode == 4
    assert not started.listens()
    assert not started.reported()["complete"]


@choose("WH-01", "WH-02", "WH-84")
def test_a_signal_is_not_lost(
    started: Started, attacks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that came in the midst of an import, say, whose exception nothing gets."""
    monkeypatch.setattr(interruption, "_received", [])
    with contextlib.suppress(KeyboardInterrupt):
        interruption._interrupt(signal.SIGTERM, None)
    done = started.attack()
    assert (done.exit_code, "it was interrupted" in done.output) == (4, True)
    assert [one["outcome"] for one in started.reported()["verdicts"]] == [
        "as wanted", "not observed", "not observed",
    ]  # fmt: skip


@choose("WH-01")
def test_interrupted_before_the_first_answer(
    started: Started, attacks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is incomplete, as later on; it is not a receiver that does not answer."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(AttackSeries, "_verdict", interrupt)
    done = started.attack()
    assert (done.exit_code, "it was interrupted" in done.output) == (4, True)
    assert not started.reported()["complete"]


@choose("WH-01")
def test_a_receiver_that_does_not_start(started: Started, attacks: None) -> None:
    """Its last words are in the message and in the report."""
    done = started.attack(start="echo no database >&2; exit 7")
    assert done.exit_code == 2
    report = started.reported()
    assert "--start: it ended with exit status 7" in report["error"]
    assert "no database" in report["error"]
    assert (report["exit_status"], report["complete"], report["verdicts"]) == (2, False, [])


@choose("WH-01")
@pytest.mark.parametrize("more", ["", "x" * 285], ids=["whole", "cut"])
def test_last_words_show_no_key(started: Started, attacks: None, more: str) -> None:
    """A receiver that does not start may have written its key, in the middle of which is a cut."""
    done = started.attack(start=f"echo no database for $TURRIS_WEBHOOK_SECRET {more} >&2; exit 7")
    shown = done.output + started.report.read_text()
    assert ("***-cdef" in shown) is not bool(more)
    assert KEY[-6:] not in shown


@choose("WH-01")
@pytest.mark.parametrize("more", ["", "x" * 185], ids=["whole", "cut"])
def test_command_for_effects_shows_no_key(started: Started, attacks: None, more: str) -> None:
    """What it wrote before it failed is shown in the same way."""
    done = started.attack("--effects", f"echo no {KEY} {more} >&2; exit 7")
    shown = done.output + started.report.read_text()
    assert "exited with 7" in shown
    assert KEY[-6:] not in shown


@choose("WH-01")
def test_a_receiver_that_listens_nowhere(
    started: Started, attacks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable with the port."""
    monkeypatch.setattr("mock_server.attacking.started._START_SECONDS", 0.2)
    done = started.attack(start="trap '' TERM; sleep 60")
    assert (done.exit_code, "the variable PORT" in done.output) == (2, True)


@choose("WH-01")
def test_a_port_that_is_taken(started: Started, attacks: None) -> None:
    """Another program at the URL is not attacked in the receiver's place."""
    with socket.create_server(("127.0.0.1", started.port)):
        done = started.attack()
    assert (done.exit_code, "listens on port" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--effects", "echo trouble >&2; false"), "exited with 1: trouble"),
        (("--effects", "cat /dev/null", "--effects-url", "http://127.0.0.1:9/"), "give one"),
        (("--effects-url", "http://127.0.0.1:9/"), "--effects-url http://127.0.0.1:9/"),
        (("--effects-url", "http://192.0.2.1/"), "use --allow 192.0.2.1:80"),
        (("--effects", "date +%s%N"), "the effects change by themselves"),
    ],
)
def test_mistakes_are_found_before_anything_is_sent(
    started: Started, arguments: tuple[str, ...], reason: str
) -> None:
    """Each message names the option."""
    done = started.attack(*arguments)
    assert (done.exit_code, reason in done.output) == (2, True), done.output


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--previous-secret-env", "OLD", "it is for what --start starts"),
        ("--log", "/nowhere/app.log", "there is no such file"),
    ],
)
def test_option_that_does_nothing_is_told(option: str, value: str, reason: str) -> None:
    """A mistake in it would only be noticed by what is not found."""
    done = run("attack", "http://127.0.0.1:9/hook", "--only", "WH-01", option, value)
    assert f"{option} {value} does nothing here: {reason}" in done.output


def test_effects_url_that_refuses(started: Started) -> None:
    """An error is no number of effects."""
    done = started.attack("--effects-url", started.url.replace("/hook", "/gone"))
    assert (done.exit_code, "it answered 404" in done.output) == (2, True), done.output


@choose("WH-01", "WH-02")
def test_effects_that_fail_on_the_way(started: Started, attacks: None) -> None:
    """What is known by then is kept."""
    tried = started.effects.with_name("tried")
    probe = f"echo >>{tried}; test $(wc -l <{tried}) -lt 9 && cat {started.effects}"
    done = started.attack("--effects", probe)
    assert done.exit_code == 4, done.output
    report = started.reported()
    assert "--effects: " in report["error"]
    assert len(report["verdicts"]) < 2


def test_a_command_that_hangs(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ended, and named."""
    monkeypatch.setattr("mock_server.attacking.shell._SECONDS", 0.2)
    done = started.attack("--effects", "exec sleep 60")
    assert (done.exit_code, "ran longer than" in done.output) == (2, True)


@choose("WH-01")
def test_header_and_host_reach_the_receiver(started: Started, attacks: None) -> None:
    """A gateway's header is in each request; its value is in no output."""
    done = started.attack("--header", "X-Gateway: shut-behind-a-secret")
    assert done.exit_code == 1
    assert "403" in done.output
    assert "shut-behind" not in done.output + started.report.read_text()
    assert started.reported()["options"]["headers"] == ["X-Gateway"]
    assert started.attack("--header", "X-Gateway:open", "--host", "api.example").exit_code == 0


@choose("WH-01")
@pytest.mark.parametrize("own_file", [False, True])
def test_a_log_is_searched_for_the_key(started: Started, attacks: None, own_file: bool) -> None:
    """In its output, or in a file of its own; what stood there before does not count."""
    log = started.effects.with_name("log")
    log.write_text(KEY)
    arguments = ("--log", str(log)) if own_file else ()
    assert started.attack(*arguments).exit_code == 0
    done = started.attack(*arguments, LEAK=str(log) if own_file else "/dev/stderr")
    assert done.exit_code == 1
    assert "the key stands in its output" in done.output
    assert KEY not in done.output


def test_a_receiver_is_restarted(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attacks that need it may restart the receiver at its URL."""
    restarted: list[str] = []

    def run_series(series: AttackSeries, attacks: object) -> SeriesResult:
        hooks = series._context.hooks
        assert hooks.restart is not None
        assert hooks.restart() is None
        restarted.append("once")
        return run_as_before(series, tuple(map(find_attack, ("WH-01",))))

    run_as_before = AttackSeries.run
    monkeypatch.setattr(AttackSeries, "run", run_series)
    assert started.attack().exit_code == 0
    assert restarted == ["once"]


@choose("WH-01", "WH-132", "WH-02")
def test_a_receiver_that_does_not_start_twice(started: Started, attacks: None) -> None:
    """Nothing is said about the attack, and what is known by then is kept."""
    once = started.effects.with_name("once")
    command = f"mkdir {once} || exit 7; exec {started.command}"
    done = started.attack("--effects", f"cat {started.effects}", start=command)
    reason = "--start, the second time: it ended with exit status 7 before it listened"
    assert reason in " ".join(done.output.split())
    outcomes = started.outcomes()
    assert [outcomes[id_] for id_ in ("WH-01", "WH-132")] == ["passed", "not observed"]


@choose("WH-01", "WH-132")
def test_last_words_of_the_second_start_show_no_key(started: Started, attacks: None) -> None:
    """They say why it did not start again; a receiver may write its key."""
    once = started.effects.with_name("once")
    fails = "echo no port for $TURRIS_WEBHOOK_SECRET >&2; exit 7"
    done = started.attack(start=f"mkdir {once} || {{ {fails}; }}; exec {started.command}")
    assert "it wrote:" in done.output
    assert "no port for" in started.report.read_text()
    assert KEY not in done.output + started.report.read_text()


@choose("WH-01", "WH-132", "WH-02")
def test_a_receiver_that_outlives_its_process(
    started: Started, attacks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that leaves its session, as a daemon does, cannot be started again: that is said."""
    monkeypatch.setattr("mock_server.attacking.started._STOP_SECONDS", 0.5)
    own = started.effects.with_name("pid")
    daemon = shlex.quote(f"echo $$ >{own}; exec {started.command}")
    try:
        done = started.attack(
            "--effects", f"cat {started.effects}", start=f"setsid sh -c {daemon} & wait"
        )
    finally:
        os.kill(int(own.read_text()), signal.SIGKILL)
    reason = f"--start: port {started.port} is in use after its process ended"
    assert reason in " ".join(done.output.split())
    outcomes = started.outcomes()
    assert [outcomes[id_] for id_ in ("WH-01", "WH-132")] == ["passed", "not observed"]


def test_trigger_prints_the_entity(started: Started) -> None:
    """The three commands have one default, which the environment changes."""
    done = run("trigger", EVENT, "--to", started.url)
    assert (done.exit_code, KEY in done.output) == (2, False)
    assert "nothing listens at" in done.output
