"""The control token as it is given, and what is printed of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import CliRunner
from doubles.served_sandbox import serving

from mock_server.shell.cli import app
from pytest_turris.process.control_token import (
    ControlTokenError,
    checked_control_token,
    without_control_token,
)

TOKEN = "turris_sandbox_control_" + "a1b2" * 16
CHOSEN = "chosen-by-a-user-and-without-a-mark"
UNUSABLE = [f"{TOKEN}\nX", f"{TOKEN} X", f"{TOKEN}\N{LATIN SMALL LETTER L WITH STROKE}", "\udcff"]
VARIABLE = "TURRIS_CONTROL_TOKEN"


class Echo(BaseHTTPRequestHandler):
    """Refuses a request, and repeats the token that it has."""

    def do_POST(self) -> None:
        """Answer any request."""
        words = f"I do not like {self.headers['Authorization']} at all"
        body = json.dumps({"errorMessage": [words]}).encode()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        """Answer any request."""
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The URL of a server that repeats the token."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " \t{} "])
def test_white_space_around_a_token_does_not_count(around: str) -> None:
    """Such as the last newline of a file."""
    assert checked_control_token(around.format(TOKEN), VARIABLE) == TOKEN


@pytest.mark.parametrize("text", UNUSABLE)
def test_what_is_no_token_is_refused_without_its_value(text: str) -> None:
    """The message names where it was given."""
    with pytest.raises(ControlTokenError, match=VARIABLE) as refused:
        checked_control_token(text, VARIABLE)
    assert "a1b2" not in str(refused.value)


@pytest.mark.parametrize("text", UNUSABLE)
@pytest.mark.parametrize("words", [("serve", "--port", "0"), ("list", "agents"), ("audit",)])
def test_commands_refuse_what_is_no_token(
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    """With exit status 2, in one line."""
    monkeypatch.setenv(VARIABLE, text)
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert f"turris-sandbox: {VARIABLE} has a space, a control" in result.output
    assert "a1b2" not in result.output


def test_an_option_that_is_no_token_is_refused() -> None:
    """The line names the option, and not the variable."""
    result = CliRunner().invoke(app, ["list", "agents", "--token", UNUSABLE[0]])
    assert result.exit_code == 2
    assert "turris-sandbox: --token has" in result.output
    assert "a1b2" not in result.output


def test_a_token_from_a_file_is_accepted_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server and the command line leave out the same newline."""
    monkeypatch.setenv(VARIABLE, f"{TOKEN}\n")
    with serving() as running:
        url = running.variables["TURRIS_BASE_URL"]
        listed = CliRunner().invoke(app, ["list", "agents", "--url", url])
        seen = running.call("/__sandbox__/control/tenants", Authorization=f"Bearer {TOKEN}")
    assert seen == {"tenants": []}
    assert listed.exit_code == 0, listed.output
    assert VARIABLE not in running.variables


@pytest.mark.parametrize("token", [TOKEN, CHOSEN])
def test_a_server_that_repeats_the_token_makes_no_command_print_it(echo: str, token: str) -> None:
    """Given by an option, so that it is not in the environment."""
    result = CliRunner().invoke(app, ["list", "agents", "--url", echo, "--token", token])
    assert result.exit_code == 2
    assert "I do not like Bearer ***" in result.output
    assert token not in result.output


@pytest.mark.parametrize("token", [TOKEN, CHOSEN, f"{TOKEN}\n", "x"])
def test_the_line_that_ends_a_run_has_no_token(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, echo: str, token: str
) -> None:
    """Also if the server that refuses the run repeats it."""
    monkeypatch.setenv(VARIABLE, token)
    pytester.makepyfile("def test_x(turris): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--turris-url", echo)
    result.stdout.fnmatch_lines(
        ["! *Interrupted: turris: --turris-url: * I do not like *[*][*][*]*"]
    )
    assert f"Bearer {token.strip()} " not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("text", UNUSABLE)
def test_pytest_refuses_what_is_no_token(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Before any test, as a usage error."""
    monkeypatch.setenv(VARIABLE, text)
    pytester.makepyfile("def test_x(turris): pass")
    result = pytester.runpytest_subprocess("--turris-url", "http://127.0.0.1:1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: turris: --turris-url: {VARIABLE} has a space, a *"])
    assert "a1b2" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("token", [TOKEN, CHOSEN, f"{CHOSEN}\n"])
def test_an_internal_error_has_no_token(token: str) -> None:
    """Neither in its traceback nor in its last line."""
    program = (
        "import os, mock_server.shell.cli, mock_server.__main__ as command",
        "def fails(): raise ValueError(repr(os.environ['TURRIS_CONTROL_TOKEN']))",
        "mock_server.shell.cli.app = fails",
        "command.main()",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(program)],
        env=os.environ | {VARIABLE: token},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "internal error, please report it: ValueError" in done.stderr
    assert token.strip() not in done.stderr


def test_a_short_token_masks_no_other_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is masked where it is sent only."""
    monkeypatch.setenv(VARIABLE, "an")
    assert without_control_token("an answer: Bearer an") == "an answer: Bearer ***"
