"""``turris-sandbox attack``: its report, its exit statuses and its words."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from doubles.command_line import EVENT, KEY, Started, run
from doubles.ports import free_port

from mock_server.__main__ import main
from mock_server.attacking.report import AttackReport
from mock_server.attacking.wording import language_of, worded
from mock_server.exit_status import EXIT_STATUSES
from pytest_turris.attacks.catalogue import ATTACKS, find_attack
from pytest_turris.attacks.series.series import AttackSeries

DOCS = Path(__file__).parents[2] / "docs" / "reference"
SCHEMA = json.loads((DOCS / "attack-report.schema.json").read_text())
OF_PYTHON = re.compile(
    r"\bhmac\.|\bjson\.|\.(de|en)code\(|(Recursion|Value|Type)Error|\brepr\b|parse_constant"
    r"|object_pairs_hook"
)


@pytest.fixture
def started(tmp_path: Path) -> Started:
    """A good receiver that is started by the command."""
    return Started(tmp_path)


@pytest.fixture(autouse=True)
def few_attacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile of few attacks, one of which is about the server."""
    chosen = tuple(map(find_attack, ("WH-01", "WH-02", "WH-28", "WH-70", "WH-86")))
    monkeypatch.setattr("mock_server.attacking.run.profile", lambda _: chosen)


def valid(started: Started) -> Any:
    """The report, which the published schema allows."""
    report = started.reported()
    jsonschema.validate(report, SCHEMA, format_checker=jsonschema.FormatChecker())
    return report


def test_report_of_a_whole_run(started: Started) -> None:
    """It says what was attacked, how, when and what came of it."""
    done = started.attack("--effects", f"cat {started.effects}", "--host", "api.example")
    report = valid(started)
    assert (done.exit_code, report["exit_status"], report["complete"]) == (0, 0, True)
    assert (report["url"], report["profile"], report["scheme"]) == (started.url, "quick", "turris")
    assert (report["options"]["host"], report["options"]["effects"]) == ("api.example", True)
    assert report["language"] == "Python"
    assert "WH-28" in report["server"]
    assert sum(report["counts"].values()) == len(report["verdicts"]) == 5
    found = next(verdict for verdict in report["verdicts"] if verdict["findings"])
    assert all(found["findings"][0][part] for part in ("sent", "got", "expected", "why", "fix"))
    assert KEY not in started.report.read_text() + done.output


def test_the_table_has_whole_names(started: Started) -> None:
    """People search for them, also where the output is narrow and no terminal."""
    done = started.attack(COLUMNS="40")
    for name in ("WH-01-valid-baseline", "WH-70-duplicate-keys"):
        assert name in done.output
    assert "its server (info): WH-28" in done.output


def test_a_must_that_fails_is_status_1(started: Started) -> None:
    """And the finding names the option that ignores it."""
    done = started.attack("--header", "X-Gateway: shut")
    assert done.exit_code == 1
    assert valid(started)["counts"]["failed"] == 1
    assert "--ignore 'WH-01=why this is fine'" in done.output
    assert "@pytest.mark" not in done.output


def test_nothing_answers(started: Started) -> None:
    """One line that says what is there, and a report."""
    done = run("attack", started.url, "--json", str(started.report))
    report = valid(started)
    assert (done.exit_code, report["exit_status"], report["complete"]) == (2, 2, False)
    assert f"nothing listens at 127.0.0.1:{started.port}" in report["cause"]
    assert len(done.output.splitlines()) == 1, done.output


def test_ctrl_c_keeps_what_there_is(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table and the report have the verdicts so far; the rest is not observed."""
    interrupt_after(2, monkeypatch)
    done = started.attack()
    report = valid(started)
    assert (done.exit_code, report["exit_status"], report["complete"]) == (4, 4, False)
    assert "interrupted" in report["cause"]
    outcomes = [verdict["outcome"] for verdict in report["verdicts"]]
    assert outcomes == ["as wanted", "as wanted", "not observed", "not observed", "not observed"]
    assert "WH-02-missing-header" in done.output


def interrupt_after(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C after so many attacks."""
    done: list[object] = []

    def note(outcome: Any, verdict: object, show_progress: object) -> None:
        done.append(verdict)
        if len(done) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr("mock_server.attacking.run._note", note)


def test_ctrl_c_before_the_first_attack(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the receiver starts, for example."""
    fail_with(KeyboardInterrupt(), monkeypatch)
    done = started.attack()
    assert (done.exit_code, valid(started)["exit_status"]) == (4, 4)


def test_an_internal_error_is_status_3(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no verdict, and the report says so."""
    fail_with(RuntimeError("a bug"), monkeypatch)
    done = started.attack()
    report = valid(started)
    assert (done.exit_code, report["exit_status"], report["complete"]) == (3, 3, False)
    assert "RuntimeError: a bug" in report["error"]


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the run fail."""

    def run_series(_self: object, _attacks: object) -> None:
        raise error

    monkeypatch.setattr(AttackSeries, "run", run_series)


def test_an_error_of_any_command_is_status_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not mistaken for a verdict, whatever the command is."""

    def broken() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("mock_server.shell.cli.app", broken)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 3
    assert "internal error, please report it: RuntimeError('a bug')" in capsys.readouterr().err


def test_without_a_file_nothing_is_written(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a receiver that does not answer a GET has no language that is known."""
    monkeypatch.setattr("mock_server.attacking.run.post_over_socket", refuse)
    done = run("attack", started.url, "--event", EVENT, "--start", started.command)
    assert done.exit_code == 0, done.output
    assert not started.report.exists()


def refuse(*_arguments: object, **_keywords: object) -> None:
    """No answer."""
    raise ConnectionResetError


def test_the_time_for_all_attacks(started: Started) -> None:
    """When it is over the rest is not observed."""
    done = started.attack("--total-timeout", "1", DELAY="0.1")
    assert done.exit_code in (0, 4)  # a fast machine is done by then
    valid(started)


def test_a_report_that_cannot_be_written(started: Started) -> None:
    """The table is there all the same, if the folder goes while the attacks run."""
    gone = started.report.parent / "gone"
    gone.mkdir()
    probe = f"rm -rf {gone}; cat {started.effects}"
    done = started.attack("--json", f"{gone}/report.json", "--effects", probe)
    assert done.exit_code == 2
    assert f"--json {gone}/report.json: cannot write the report: No such file" in done.output
    assert "WH-01-valid-baseline" in done.output


@pytest.mark.parametrize(
    ("place", "reason"), [("nowhere/report.json", "there is no folder"), ("", "this is a folder")]
)
def test_a_report_that_has_no_place_is_refused_before_anything_is_sent(
    started: Started, place: str, reason: str
) -> None:
    """All attacks would have been in vain."""
    done = started.attack("--json", str(started.report.parent / place))
    assert (done.exit_code, reason in done.output) == (2, True), done.output
    assert "WH-01" not in done.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("127.0.0.1:3000/hook",), "write http://127.0.0.1:3000/hook"),
        (("http://127.0.0.1:9/", "--scheme", "paypal"), "--scheme 'paypal' is not one of"),
        (("http://127.0.0.1:9/", "--scheme", "svix"), "--scheme: turris option"),
        (("http://127.0.0.1:9/", "--entity", "x"), "--entity 'x' is not an ObjectId"),
        (("http://127.0.0.1:9/", "--header", "no colon"), "--header"),
        (("http://127.0.0.1:9/", "--header", "a b: c"), "write it as NAME:VALUE"),
        (("http://127.0.0.1:9/", "--header", "A: b\r\nC: d"), "cannot have"),
        (("http://127.0.0.1:9/", "--header", "A: \u2713"), "cannot have"),
        (("http://127.0.0.1:9/", "--header", "x-turris-signature: 0"), "the signature's"),
        (("http://127.0.0.1:9/", "--header", "Host: a"), "use --host NAME"),
        (("http://127.0.0.1:9/", "--host", "a b"), "--host: "),
        (("http://127.0.0.1:9/", "--payload", "/nowhere.json"), "--payload /nowhere.json: No such"),
        (("http://127.0.0.1:9/", "--payload", __file__), "the payload is not JSON"),
        (("http://192.0.2.1/",), "use --allow 192.0.2.1:80"),
    ],
)
def test_refusals_name_the_option(arguments: tuple[str, ...], reason: str) -> None:
    """Nothing is sent."""
    done = run("attack", *arguments)
    assert (done.exit_code, reason in done.output) == (2, True), done.output


@pytest.mark.parametrize("command", ["attack", "trigger"])
def test_help_has_examples_and_exit_statuses(command: str) -> None:
    """Somebody who has never used it can copy a line."""
    text = " ".join(run(command, "--help", COLUMNS="200").output.split())
    assert f"turris-sandbox {command} " in text
    assert "--scheme" in text
    assert "Exit status: 0 done" in text
    for status, commands, meaning in EXIT_STATUSES:
        ours = commands == "all commands" or f"`{command}`" in commands
        assert (f"{status} " in text and meaning.replace("`", "") in text) == ours, meaning


def test_the_page_has_every_exit_status() -> None:
    """Scripts that act on a status find it there."""
    page = (DOCS / "command-line.md").read_text("utf-8")
    for row in EXIT_STATUSES:
        assert f"| {row[0]} | {row[1]} | {row[2]} |" in page


def test_exit_statuses_are_documented() -> None:
    """The page has a row for each."""
    page = (DOCS / "command-line.md").read_text()
    for status, commands, meaning in EXIT_STATUSES:
        assert f"| {status} | {commands} | {meaning} |" in page


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_advice_fits_every_language(attack: Any) -> None:
    """What only Python or pytest has is not told to the author of a receiver in Go."""
    for text in (attack.fix, attack.why):
        told = worded(text)
        assert not OF_PYTHON.search(told), told
        assert "run(" not in told.replace("turris_webhook_attack.run(", "")


@pytest.mark.parametrize(
    ("headers", "language", "compare"),
    [
        ({"X-Powered-By": "Express"}, "Node", "crypto.timingSafeEqual"),
        ({"server": "PHP/8.2"}, "PHP", "hash_equals"),
        ({"Server": "WEBrick/1.8 (Ruby/3.1)"}, "Ruby", "OpenSSL.secure_compare"),
        ({"Server": "Jetty(11)"}, "Java", "MessageDigest.isEqual"),
        ({"Server": "Kestrel"}, ".NET", "CryptographicOperations.FixedTimeEquals"),
        ({"Server": "uvicorn"}, "Python", "hmac.compare_digest"),
        ({"Server": "nginx"}, "", "a comparison in constant time"),
        ({}, "", "a comparison in constant time"),
    ],
)
def test_advice_in_the_words_of_the_language(
    headers: dict[str, str], language: str, compare: str
) -> None:
    """Where the response tells the language."""
    assert language_of(headers) == language
    assert compare in worded(find_attack("WH-05").fix, language)


def test_reasons_name_options_of_the_command_line() -> None:
    """Parameters of the fixture are its options, or belong to pytest alone."""
    assert worded("needs x: run(failing_work=...)") == "needs x: --failing-work"
    assert worded("name them: run(..., events={...})") == "name them: --event"
    told = worded("needs y: run(..., state=..., api_status=...)")
    assert told.startswith("needs y: only in pytest: turris_webhook_attack.run(..., state=")
    assert worded("name the events (events=...), or say with settle=...") == (
        "name the events (--event), or say with --settle"
    )
    assert worded("Raise its limit, or let reset=... clear what it counted") == "Raise its limit"
    assert "log=..." in worded("needs a log: run(..., shown=..., log=...)")


def test_trigger_in_another_scheme(started: Started, tmp_path: Path) -> None:
    """A payload of one's own is signed as GitHub does it."""
    payload = tmp_path / "push.json"
    payload.write_text('{"id":"{{id}}"}')
    port = free_port()
    done = run(
        "trigger", "--scheme", "github", "--payload", str(payload),
        "--to", f"http://127.0.0.1:{port}/",
    )  # fmt: skip
    assert (done.exit_code, "nothing listens" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "give an EVENT"),
        ((EVENT, "--payload", "x.json"), "leave out EVENT"),
    ],
)
def test_trigger_sends_an_event_or_a_payload(arguments: tuple[str, ...], reason: str) -> None:
    """One of them."""
    done = run("trigger", *arguments, "--to", "http://127.0.0.1:9/")
    assert (done.exit_code, reason in done.output) == (2, True)


def test_cause_names_no_parameter_of_pytest() -> None:
    """The report of the command line says what to do there, in its cause too."""
    report = AttackReport(
        url="http://127.0.0.1:3000/webhooks",
        profile="quick",
        scheme="turris",
        options={},
        started_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        seconds=1.0,
        verdicts=(),
        exit_status=4,
        cause="429: raise its limit for the test, or let reset=... clear what it counted",
        error="",
        language="",
        masked=str,
    )
    assert report.as_json()["cause"] == "429: raise its limit for the test"
