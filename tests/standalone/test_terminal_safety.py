"""Text from elsewhere cannot change the terminal that a command prints it on."""

import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from doubles.command_line import EVENT, run
from doubles.text_server import answering
from rich.console import Console

import mock_server
from mock_server.attacking.masking import masker
from mock_server.attacking.report import AttackReport
from mock_server.attacking.table import show_verdicts
from mock_server.controlling import output
from mock_server.serving.log import ServerLog
from mock_server.shell import tables
from mock_server.shell.mistakes import fail
from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.findings.verdict import Finding, Verdict

HOSTILE = "\x1b]0;title\x07 \x9b31m \u202e \u2066 \u200f \x7f \udc80"
ESCAPED = r"\x1b]0;title\x07 \x9b31m \u202e \u2066 \u200f \x7f \udc80"
UNSAFE = re.compile(r"[^\n\x20-\x7e\u2500-\u257f\u2014\ufffd]")
"""What none of the texts below has, except the lines of a table and what a decoder puts in."""

PRINTING = re.compile(
    r"\bclick\.s?echo\(|(?<![.\w])print\(|console\.print\(|Console\(\)\.print\(|\bprint_exc"
)
ALONE = {
    "attacking/table.py": "a table, whose texts it escapes",
    "serving/run.py": "lines for a shell, of our own values",
    "shell/completion/command.py": "the script of click",
    "shell/printing.py": "the one place",
    "shell/tables.py": "a table, whose texts it escapes",
    "triggering/command.py": "the body of a webhook, byte for byte",
}
"""The modules that print by themselves, and what."""


def answer(status: int, body: str) -> bytes:
    """An answer of a server that is not ours."""
    sent = body.encode("utf-8", "surrogatepass")
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(sent), sent)


def test_commands_print_in_one_place() -> None:
    """What goes to the terminal past it would not be made safe."""
    root = Path(mock_server.__file__).parent
    printing = {
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if PRINTING.search(file.read_text("utf-8"))
    }
    assert printing == ALONE.keys()


def test_answer_of_a_receiver_is_escaped() -> None:
    """``trigger`` shows what a receiver says, and nothing of it reaches the terminal as it is."""
    with answering(answer(400, f"no {HOSTILE}")) as url:
        result = run("trigger", EVENT, "--to", f"{url}/hook")
    assert result.exit_code == 1
    assert r"\x1b]0;title\x07 \x9b31m \u202e" in result.output
    assert not UNSAFE.search(result.output)


def test_refusal_of_a_strange_server_is_escaped() -> None:
    """A server at the URL may be anything; its words are one line."""
    body = json.dumps({"errorMessage": [f"{HOSTILE}\nturris-sandbox: done"]})
    with answering(answer(404, body)) as url:
        result = run("show", "--url", url)
    assert result.exit_code == 1
    assert result.output == f"turris-sandbox: {ESCAPED}\\nturris-sandbox: done\n"


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize(
    "document",
    [
        {"total": 1, "items": [{"firstName": HOSTILE, HOSTILE: "x"}]},
        {"firstName": HOSTILE, HOSTILE: "x"},
        [HOSTILE],
    ],
    ids=["records", "one record", "a list"],
)
def test_records_are_escaped(
    document: Any,
    is_terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A client may have stored anything; JSON has it too, but in ASCII."""
    monkeypatch.setattr(tables, "is_terminal", lambda: is_terminal)
    monkeypatch.setenv("COLUMNS", "300")
    output.show(document, as_json=False)
    printed = capsys.readouterr().out
    assert "title" in printed
    assert not UNSAFE.search(re.sub("[\u2500-\u257f]", "", printed))
    if not is_terminal:
        assert json.loads(printed) == document


@pytest.mark.parametrize("is_terminal", [True, False])
def test_lines_of_a_stream_are_escaped(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The journal has what clients send; an exchange is one line."""
    monkeypatch.setattr(tables, "is_terminal", lambda: is_terminal)
    output.show_lines([{"path": f"/{HOSTILE}\n"}, f"{HOSTILE}\n"], as_json=False)
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 2
    assert not UNSAFE.search(printed)


def test_mistake_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal may repeat what a file or another program has said; it stays one line."""
    with pytest.raises(Exception, match="2"):
        fail(f"{HOSTILE}\nmore")
    assert capsys.readouterr().err == f"turris-sandbox: {ESCAPED} more\n"


def test_table_of_a_pipe_is_escaped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be read on a terminal later; its cells are divided by tabs."""
    monkeypatch.setattr(tables, "is_terminal", lambda: False)
    tables.print_table(("a", "b"), [(HOSTILE, "x\ty")])
    assert capsys.readouterr().out == f"a\tb\n{ESCAPED}\tx y\n"


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_findings_of_an_attack_are_escaped(
    terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a receiver answers is neither a control nor markup, and a key in it is masked."""
    key = "k\u200fey of a receiver"
    finding = Finding(
        level="must", sent="a webhook", got=f"{key} {HOSTILE} \\[bold]b", expected="a 2xx"
    )
    verdict = Verdict.of(find_attack("WH-01"), [finding])
    report = AttackReport(
        url="", profile="quick", scheme="turris", options={}, seconds=1.0, exit_status=1,
        started_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), verdicts=(verdict,), cause="",
        error=HOSTILE, language="", masked=masker((), key),
    )  # fmt: skip
    stream = io.StringIO()
    monkeypatch.setattr("mock_server.attacking.table.is_terminal", lambda: terminal)
    show_verdicts(report, Console(file=stream, width=400, force_terminal=False))
    printed = capsys.readouterr().out + stream.getvalue()
    assert printed.count(ESCAPED) == 3
    assert printed.count(r"\[bold]b") == 2
    assert "of a rec" not in printed
    assert not UNSAFE.search(printed.replace("\t", " "))


def test_log_as_json_is_ascii() -> None:
    """A terminal shows it as well; a lone surrogate is no reason to lose the line."""
    stream = io.StringIO()
    log = ServerLog(stream, as_json=True)
    log.write(HOSTILE)
    log.close()
    assert stream.getvalue().rstrip("\n").isascii()
    assert not UNSAFE.search(stream.getvalue())
    assert json.loads(stream.getvalue())["message"] == HOSTILE


def test_exchange_in_words_is_escaped() -> None:
    """A failing test shows the journal of its sandbox."""
    sandbox = Sandbox()
    sandbox.handle(Request(method="GET", path=f"/{HOSTILE[:-1]}", headers=()))
    journal = sandbox.journal
    assert not UNSAFE.search(journal.last_line)
    assert str(journal[-1]) == journal.last_line
    assert HOSTILE[:-1] in journal[-1].target
