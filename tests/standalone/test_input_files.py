"""The files that commands read: what has no end is refused, and what is too large."""

import json
import os
import threading
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from doubles.served_here import served
from doubles.special_files import special_file

from mock_server.shell.cli import app
from pytest_turris.process.reading.input_file import read_input

READS: dict[str, list[str]] = {
    "serve": ["serve", "--port", "0", "--load", "FILE"],
    "trigger": ["trigger", "--payload", "FILE", "--to", "http://127.0.0.1:9/", "--print"],
    "attack": ["attack", "http://127.0.0.1:9/", "--payload", "FILE"],
    "learn from a delivery": ["learn-signature", "--delivery", "FILE"],
    "learn from a body": ["learn-signature", "--header", "X-A: b", "--body", "FILE"],
    "drift": ["drift", "--recorded", "FILE"],
    "audit of verdicts": ["audit", "--verdicts", "FILE"],
    "declarations": ["scan", ".", "--declarations", "FILE"],
    "a control": ["snapshot", "import", "@FILE"],
}


DOCUMENTS = (
    "serve",
    "trigger",
    "attack",
    "drift",
    "audit of verdicts",
    "declarations",
    "a control",
)
"""Those that parse the file; the others take any bytes."""

WORDS: dict[str, list[str]] = {
    "a member": ["add", "agents", "npn=1", "authority=TEXT"],
    "an object": ["faults", "add", "list_agents", "--headers", "TEXT"],
    "an event": ["trigger", "PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:9/", "--print",
                 "--set", "npn=TEXT"],
}  # fmt: skip


def refused(arguments: list[str], file: Path, **environment: str) -> str:
    """The line in which a command refuses a file."""
    words = [word.replace("FILE", str(file)) for word in arguments]
    result = CliRunner().invoke(app, words, env={"TURRIS_WEBHOOK_SECRET": "fake", **environment})
    assert result.exit_code == 2, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.parametrize("arguments", READS.values(), ids=READS)
def test_a_file_that_is_a_device_or_too_large_is_refused(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before all of it is read, and in one line that names it."""
    monkeypatch.chdir(tmp_path)
    large = tmp_path / "large"
    large.write_text("{}")
    monkeypatch.setattr(f"{read_input.__module__}.LARGEST_MIB", 0)
    with served() as server:
        reached = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
        line = refused(arguments, large, **reached)
        assert large.name in line
        assert "it is larger than 0 MiB" in line
        device = special_file("device", tmp_path)
        line = refused(arguments, device, **reached)
        assert device.name in line
        assert "it is a device, not a regular file" in line


def options_with_a_path() -> list[tuple[str, str]]:
    """Each command with each of its options and arguments that is a path."""
    context = click.Context(app)
    commands = {name: app.get_command(context, name) for name in app.list_commands(context)}
    return [
        (name, parameter.opts[0])
        for name, command in commands.items()
        for parameter in (command.params if command else ())
        if isinstance(parameter.type, click.Path)
    ]


@pytest.mark.parametrize(("command", "option"), options_with_a_path())
def test_an_empty_path_is_a_mistake(command: str, option: str) -> None:
    """An unset variable is neither the working directory nor an option that is not given."""
    words = [command, option, ""] if option.startswith("--") else [command, ""]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    named = "PATH..." if option == "paths" else option
    assert result.stderr.startswith(f"turris-sandbox: Invalid value for '{named}'")
    assert result.stderr.endswith(": the path is empty; is a variable of the shell not set?\n")


def test_the_paths_of_all_commands_are_looked_at() -> None:
    """Those of the commands that read or write files, and that of a store."""
    found = options_with_a_path()
    assert {command for command, _ in found} >= {words[0] for words in READS.values()} - {
        "snapshot"
    }
    assert ("serve", "--store") in found


def test_an_empty_path_of_a_control_is_a_mistake() -> None:
    """Behind the @ that says that a file has the value."""
    result = CliRunner().invoke(app, ["snapshot", "import", "@"])
    assert result.exit_code == 2
    assert result.stderr.startswith("turris-sandbox: world: the path behind @ is empty; is a var")


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """A shell makes one for ``<(command)``."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = json.dumps(["much"] * 100_000).encode()
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    assert read_input(pipe) == content
    writer.join()


@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_scan_of_neither_a_file_nor_a_folder_is_refused(kind: str, tmp_path: Path) -> None:
    """It would find nothing, and look like a success."""
    line = refused(["scan", "FILE"], special_file(kind, tmp_path))
    assert "is neither a file nor a folder" in line


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a=" + "[" * 5_000 + "]" * 5_000, "nested too deeply"),
        ("[" * 200_000, ""),
        ('{"a": ' + "1" * 6_000 + "}", ""),
        ("a = " + "1" * 6_000, ""),
    ],
    ids=["deep TOML", "deep JSON", "a long number", "a long number of TOML"],
)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_that_no_parser_takes_is_refused(
    name: str, content: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, as any other mistake of its author, and without advice for programmers."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file"
    file.write_text(content)
    with served() as server:
        reached = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
        line = refused(READS[name], file, **reached)
    assert "set_int_max_str_digits" not in line
    assert says in line or name != "declarations"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_encoding_of_a_document_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PowerShell writes UTF-16, which its user has to know."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file"
    with served() as server:
        reached = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            file.write_text("{}", encoding=encoding)
            assert "it is in UTF-16 or UTF-32" in refused(READS[name], file, **reached)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_value_that_is_nested_too_deeply_is_refused(words: list[str]) -> None:
    """In one line, and not sent as a text."""
    deep = [word.replace("TEXT", "[" * 60_000) for word in words]
    with served() as server:
        reached = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
        assert "it is nested too deeply" in refused(deep, Path(), **reached)


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    """PowerShell puts one before UTF-8."""
    file = tmp_path / "payload.json"
    file.write_text('{"marked": 1}', encoding="utf-8-sig")
    words = [word.replace("FILE", str(file)) for word in READS["trigger"]]
    result = CliRunner().invoke(app, words, env={"TURRIS_WEBHOOK_SECRET": "fake"})
    assert (result.exit_code, '"marked"' in result.output) == (0, True), result.output
