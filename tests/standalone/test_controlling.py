"""The controls of a running sandbox as shell commands: what is sent, and what is printed."""

import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from doubles.ports import free_port
from doubles.served_here import served
from doubles.text_server import answering

from mock_server.control.description import describe_all
from mock_server.control.table import CONTROLS
from mock_server.controlling import output
from mock_server.controlling.commands import command_names, find_command
from mock_server.controlling.rows import CONTROLS_FILE, as_json, rows
from mock_server.controlling.secret_output import protect_output
from mock_server.controlling.values import members_given, read_value
from mock_server.serving.server import StandaloneSandbox
from mock_server.shell import tables
from mock_server.shell.cli import app
from pytest_turris.core.options import Options


@pytest.fixture(scope="module")
def shared() -> Iterator[StandaloneSandbox]:
    """A server in this process."""
    with served() as running:
        yield running


@pytest.fixture
def server(shared: StandaloneSandbox) -> Iterator[StandaloneSandbox]:
    """The server, with an empty sandbox."""
    before = shared.sandbox.snapshot()
    yield shared
    shared.sandbox.restore(before)


def run(server: StandaloneSandbox, *arguments: str, **environment: str) -> Result:
    """Run a command with the URL and the token in its environment."""
    known = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
    return CliRunner().invoke(app, arguments, env=known | environment)


def found(result: Result) -> Any:
    """The JSON that was printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_rows_are_those_of_the_table() -> None:
    """The file that the command line reads is up to date: if not, run ``make docs``."""
    assert CONTROLS_FILE.read_text() == as_json(describe_all())
    assert list(rows()) == json.loads(as_json(describe_all()))


@pytest.mark.parametrize("name", sorted(CONTROLS))
def test_every_control_has_a_command_with_help(name: str) -> None:
    """Each row is a command, whose help has its sentence and its parameters."""
    row = next(row for row in rows() if row["name"] == name)
    result = CliRunner().invoke(app, [*row["words"], "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert row["summary"].rstrip(".") in result.output or row["words"][0] in command_names()
    for parameter in row["parameters"]:
        shown = parameter["name"] if parameter["rest"] else parameter["option"].strip("-")
        assert shown.lower() in result.output.lower()


def test_an_export_with_secrets_is_readable_by_its_owner_alone(
    server: StandaloneSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the umask is; a warning goes to standard error. A pipe has no mode."""
    file = tmp_path / "world.json"
    with file.open("w") as stream:
        file.chmod(0o644)
        monkeypatch.setattr("sys.stdout", stream)
        protect_output()
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr("sys.stdout", None)  # closed
    protect_output()
    with_secrets = run(server, "snapshot", "export", "--with-secrets")
    assert server.sandbox.client.client_secret in with_secrets.stdout
    assert "has secrets and tokens in it" in with_secrets.stderr
    without = run(server, "snapshot", "export")
    assert "secrets" not in without.stderr
    assert server.sandbox.client.client_secret not in without.stdout
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write, "w") as pipe:
        monkeypatch.setattr("sys.stdout", pipe)
        protect_output()


def test_adds_lists_and_removes_a_record(server: StandaloneSandbox) -> None:
    """Members are words; the answer is the JSON of the control API."""
    added = found(run(server, "add", "agents", "npn=12345678", "firstName=Ann"))
    assert added["agent"]["npn"] == "12345678"
    agent = server.sandbox.agents.get(added["agent"]["_id"])
    assert agent.agent.first_name == "Ann"
    listed = found(run(server, "list", "agents", "--npn", "12345678"))
    assert [item["agent"]["npn"] for item in listed["items"]] == ["12345678"]
    assert found(run(server, "list", "agents", "--npn", "1"))["total"] == 0
    changed = found(run(server, "update", "agents", added["agent"]["_id"], "isArchived=true"))
    assert changed["isArchived"] is True
    removed = run(server, "remove", "agents", added["agent"]["_id"])
    assert (removed.exit_code, removed.output) == (0, "")
    assert len(server.sandbox.agents) == 0


def test_moves_the_clock(server: StandaloneSandbox) -> None:
    """Durations and moments are text as people write it; a command alone shows the time."""
    before = server.sandbox.clock.offset
    found(run(server, "clock", "advance", "56m"))
    assert (server.sandbox.clock.offset - before).total_seconds() == 56 * 60
    assert found(run(server, "clock"))["aheadSeconds"] == 56 * 60
    server.sandbox.tokens.issue(server.sandbox.client)
    found(run(server, "clock", "to-refresh-point", "--plus", "1s"))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["add", "agents", "npnn=1"], 2, "did you mean 'npn'?"),
        (["add", "agents", "npn"], 2, "'npn': write it as member=value"),
        (["add", "agents", "npn=1", "npn=2"], 2, "'npn' is given twice"),
        (["add", "agent"], 2, "there is no command 'agent'; did you mean 'agents'?"),
        (["clock", "xyz"], 2, "there is no command 'xyz'; use "),
        (["agents", "add"], 2, "there is no command 'agents'; did you mean 'add agents'?"),
        (["policy"], 2, "there is no command 'policy'; did you mean 'list policies', 'get "),
        (["advance", "5m"], 2, "there is no command 'advance'; did you mean 'clock advance'?"),
        (["webhooks", "list"], 2, "; or nothing more: List the registered webhooks."),
        (["clock", "advance", "soon"], 2, "expected a duration"),
        (["clock", "advance", "-5m"], 2, "'-5m' is taken for an option; no amount here can be neg"),
        (["clock", "advance", "1m", "--u"], 2, "No such option"),
        (["options", "change", "foo=1"], 2, "foo: expected a turris option that changes while the"),
        (["options", "change", "foo=1"], 2, "; 'turris-sandbox options' lists them"),
        (["options", "change", "rateWindw=fixed"], 2, "did you mean 'rateWindow'?"),
        (["tenants", "create", "x", "--options", '{"foo":1}'], 2, "options.foo: expected a turris"),
        (["add", "policies", "foo=1"], 2, "foo: expected one of "),
        (["snapshot", "save", "x\udcff"], 2, "NAME: it is not text in UTF-8"),
        (["get", "agents", "x\udcff"], 2, "ID: it is not text in UTF-8"),
        (["list", "agents", "--npn", "x\udcff"], 2, "--npn: it is not text in UTF-8"),
        (["add", "agents", "npn=\udcff"], 2, "'npn=\\udcff': it is not text in UTF-8"),
        (["show", "--tenant", "\udcff"], 2, "--tenant: it is not text in UTF-8"),
        (["clock", "advance"], 2, "Missing argument 'BY'"),
        (["get", "agents", "../clock"], 1, "no AgentEntry with id"),
        (["list", "agents", "--limit", "many"], 2, "is not a valid integer"),
        (["show", "--url", "localhost:8791"], 2, "is not a URL such as http://127.0.0.1:8791"),
        (["show", "--url", "http://127.0.0.1:x"], 2, "is not a URL such as http://127.0.0.1:8791"),
        (["show", "--token", "wrong"], 2, "set TURRIS_CONTROL_TOKEN, or use --token"),
        (["show", "--tenant", "nobody"], 1, "expected the name of a tenant"),
        (["add", "templates", "name=x", "customFields=[{"], 2, "customFields: write it as JSON"),
    ],
)
def test_mistakes_are_one_line(
    server: StandaloneSandbox, arguments: list[str], status: int, words: str
) -> None:
    """With a status that tells a wrong command from a refused one."""
    result = run(server, *arguments)
    assert result.exit_code == status, result.output
    assert words in result.output
    assert result.output.startswith("turris-sandbox: ")
    assert result.output.count("\n") == 1


def test_nothing_answers() -> None:
    """The URL is named, and how to choose another."""
    result = CliRunner().invoke(app, ["show", "--url", f"http://127.0.0.1:{free_port()}"])
    assert result.exit_code == 2
    assert "name one with --url or TURRIS_BASE_URL" in result.output


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            b'HTTP/1.1 500 X\r\nContent-Length: 25\r\n\r\n{"errorMessage":["oops"]}',
            3,
            "has a bug, please report it: oops",
        ),
        (b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n", 3, "502, so it is not a turris-sandbox"),
        (
            b'HTTP/1.1 503 X\r\nContent-Length: 30\r\n\r\n{"errorMessage":["disk full"]}',
            3,
            "turris-sandbox: disk full",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", 2, "the answer is not JSON"),
        (b"HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\n{}", 1, "not a turris-sandbox of this"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", 2, "the answer broke off"),
        (
            b"SSH-2.0-OpenSSH\r\n",
            2,
            "is not a turris-sandbox: what answers is not HTTP, but SSH-2.0",
        ),
    ],
)
def test_something_else_answers(answer: bytes, status: int, words: str) -> None:
    """Its answer is not taken for that of a sandbox."""
    with answering(answer) as url:
        result = CliRunner().invoke(app, ["show", "--url", url])
    assert result.exit_code == status, result.output
    assert words in result.output


def test_the_token_is_not_asked_for_by_something_else() -> None:
    """A 401 of another server is not that of a sandbox, which says where its token is."""
    with answering(b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n") as url:
        result = CliRunner().invoke(app, ["show", "--url", url])
    why = f"turris-sandbox: {url} answered with 401, so it is not a turris-sandbox of this version"
    assert (result.exit_code, result.output) == (2, f"{why}\n")


def test_follows_the_journal(server: StandaloneSandbox) -> None:
    """Each exchange is a line, until the server stops or breaks off."""
    with served() as own:
        results: list[Result] = []
        follower = threading.Thread(
            target=lambda: results.append(run(own, "journal", "--follow", "--limit", "5"))
        )
        follower.start()
        token_requests = 0
        while follower.is_alive() and token_requests < 20:
            run(own, "seed", "small_agency")
            own.sandbox.handle(request())
            token_requests += 1
            follower.join(0.1)
    follower.join(10)
    lines = [json.loads(line) for line in results[0].stdout.splitlines()]
    assert lines
    assert {line["status"] for line in lines} == {401}
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{}\n\n") as url:
        broken = CliRunner().invoke(app, ["journal", "follow", "--url", url])
    assert (broken.exit_code, broken.output) == (0, "{}\n")


def test_a_stream_that_breaks_off_ends_the_command() -> None:
    """A server that is killed resets its connections."""
    begin = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{}\n"
    with answering(begin, is_reset=True) as url:
        result = CliRunner().invoke(app, ["journal", "follow", "--url", url])
    assert result.exit_code in (0, 2)
    assert "Traceback" not in result.output


def test_controls_over_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``serve --tls`` prints is enough; without it the certificate is not trusted."""
    with served(Options(tls=True)) as secure:
        monkeypatch.setenv("SSL_CERT_FILE", str(secure.ca_file))
        assert found(run(secure, "show"))["name"] == "default"
        monkeypatch.delenv("SSL_CERT_FILE")
        refused = run(secure, "show")
    assert refused.exit_code == 2
    assert re.search(r"is not trusted \(.+\): let SSL_CERT_FILE name", refused.output)


def request() -> Any:
    """A request without a credential."""
    from pytest_turris.core.wire.messages import Request

    return Request(method="GET", path="/v1/agents", host="127.0.0.1")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal with 100 columns."""
    monkeypatch.setattr(tables, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.usefixtures("terminal")
def test_lists_are_tables_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids are whole; members without a value, and lists, are left to ``--json``."""
    items = [
        {"agent": {"_id": "a" * 24, "npn": "12345678"}, "tags": [], "email": None, "n": 1},
        {"agent": {"_id": "b" * 24, "npn": "87654321"}, "tags": [1], "email": "", "n": 2}
        | {f"further{number}": "x" * 20 for number in range(9)},
    ]
    output.show({"total": 7, "items": items}, as_json=False)
    printed = capsys.readouterr()
    assert "a" * 24 in printed.out
    assert "agent.npn" in printed.out
    assert "email" not in printed.out
    assert "tags" not in printed.out
    assert "further0" in printed.out
    assert "further8" not in printed.out
    assert printed.err == "2 of 7; --json shows all members\n"
    output.show({"total": 0, "items": []}, as_json=False)
    assert capsys.readouterr().err == "0 of 0; --json shows all members\n"


@pytest.mark.usefixtures("terminal")
def test_other_answers_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """One object is a table of its members; what has no content is done."""
    output.show({"name": "default", "records": {"agents": 3}, "at": None}, as_json=False)
    printed = capsys.readouterr().out
    assert "records.agents" in printed
    output.show(None, as_json=False)
    assert capsys.readouterr().out == "done\n"
    output.show(["a"], as_json=False)
    assert json.loads(capsys.readouterr().out) == ["a"]
    output.show({"a": 1}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"a": 1}
    output.show_lines([{"status": 401, "reason": "", "path": "/v1"}, "text"], as_json=False)
    assert capsys.readouterr().out == "401  /v1\ntext\n"


def parameter(kind: str, *, many: bool = False) -> dict[str, Any]:
    """A parameter as a row describes it."""
    return {"name": "member", "type": kind, "many": many}


@pytest.mark.parametrize(
    ("kind", "many", "text", "value"),
    [
        ("text", False, "12345678", "12345678"),
        ("text", False, "null", None),
        ("text", True, "CA,NY", ["CA", "NY"]),
        ("text", True, '["CA"]', ["CA"]),
        ("text", True, "", []),
        ("whole number", True, "1, 2", [1, 2]),
        ("whole number", False, "7", 7),
        ("whole number", False, "seven", "seven"),
        ("number", False, "1.5", 1.5),
        ("number", False, "1e999", "1e999"),
        ("number", False, "nan", "nan"),
        ("switch", False, "yes", True),
        ("switch", False, "False", False),
        ("switch", False, "maybe", "maybe"),
        ("object", False, '{"a": 1}', {"a": 1}),
        ("duration", False, "56m", "56m"),
    ],
)
def test_words_become_json(kind: str, many: bool, text: str, value: object) -> None:
    """What is not of its type is sent as text: the sandbox says what it expects."""
    assert read_value(parameter(kind, many=many), text) == value


def test_object_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line reads it, after ``@``; the sandbox never does."""
    file = tmp_path / "world.json"
    file.write_text('{"a": 1}')
    assert read_value(parameter("object", many=False), f"@{file}") == {"a": 1}
    for content, words in (("[", "write it as JSON"), (None, "No such file or directory")):
        file.unlink()
        if content:
            file.write_text(content)
        with pytest.raises(click.exceptions.Exit):
            read_value(parameter("object", many=False), f"@{file}")
        assert words in capsys.readouterr().err


def test_members_of_an_object() -> None:
    """Members that no row describes are JSON where they are JSON; digits stay text."""
    words = ["branchName=West", "npn=7654321", "producerCode=null", 'x={"y": [1]}', "z="]
    assert members_given(words, [], "members") == {
        "members": {
            "branchName": "West",
            "npn": "7654321",
            "producerCode": None,
            "x": {"y": [1]},
            "z": "",
        }
    }
    assert members_given([], [], "members") == {}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("turris-sandbox clo", "clock"),
        ("turris-sandbox clock adv", "advance"),
        ("turris-sandbox add agents fir", "firstName="),
        ("turris-sandbox add policies currentStatus=b", "currentStatus=bound"),
        ("turris-sandbox seed sma", "small_agency"),
        ("turris-sandbox list agents --np", "--npn"),
    ],
)
def test_completion_knows_controls(typed: str, expected: str) -> None:
    """Commands, members, values and options."""
    words = typed.split()
    asked = {"_TURRIS_SANDBOX_COMPLETE": "bash_complete", "COMP_WORDS": typed}
    result = CliRunner().invoke(app, [], env=asked | {"COMP_CWORD": str(len(words) - 1)})
    assert expected in result.output


def test_unknown_words_have_no_command() -> None:
    """They are left to the list of commands."""
    assert find_command("nonsense") is None
