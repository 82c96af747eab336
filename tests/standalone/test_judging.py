"""Commands that judge: their exit status, and the line that says what does not hold."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from click.testing import CliRunner, Result
from doubles.served_here import served
from doubles.served_sandbox import receiving
from doubles.text_server import answering

from mock_server.controlling.rows import rows
from mock_server.exit_status import EXIT_STATUSES
from mock_server.serving.server import StandaloneSandbox
from mock_server.shell.cli import app

JUDGING = {" ".join(row["words"]) for row in rows() if row["judges"]}
EVENT = "PRODUCER_AGREEMENT_EXECUTED"


@pytest.fixture
def server() -> Iterator[StandaloneSandbox]:
    """A server in this process."""
    with served() as running:
        yield running


@pytest.fixture
def run(server: StandaloneSandbox) -> Callable[..., Result]:
    """Runs a command with the URL and the token in its environment."""
    known = {"TURRIS_BASE_URL": server.base_url, "TURRIS_CONTROL_TOKEN": server.control_token}
    return lambda *arguments: CliRunner().invoke(app, arguments, env=known)


def ask(server: StandaloneSandbox, path: str) -> None:
    """Send a request to the API of the sandbox, with the newest token."""
    token = server.sandbox.tokens.newest
    headers = {"Authorization": f"Bearer {token.text}"} if token else {}
    httpx.get(f"{server.base_url}{path}", headers=headers)


def broken(result: Result, line: str) -> None:
    """The answer is on standard output as ever, one line says what does not hold."""
    assert json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, f"turris-sandbox: {line}\n")


def holding(result: Result) -> None:
    """The answer alone."""
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert json.loads(result.stdout)


def test_an_assertion_is_an_exit_status(run: Callable[..., Result]) -> None:
    """The line has the first one of its message; the exchanges are in the answer."""
    holding(run("assert", "token-requests", "--expected", "0"))
    expected = "the assertion does not hold: expected 7 token requests, the sandbox saw 0"
    broken(run("assert", "token-requests", "--expected", "7"), expected)


def test_failures_are_an_exit_status(server: StandaloneSandbox, run: Callable[..., Result]) -> None:
    """Until they are expected, which is no failure of that command."""
    holding(run("journal", "failures"))
    ask(server, "/v1/nonsense")
    why = "1 request that Turris would not understand"
    broken(run("journal", "failures"), f"a test would fail at its end: {why}")
    holding(run("journal", "expect", "--since", "1"))
    holding(run("journal", "expect"))
    holding(run("journal", "failures"))


def test_a_drill_and_a_log_are_exit_statuses(
    server: StandaloneSandbox, run: Callable[..., Result]
) -> None:
    """A client that goes on without an error, and a log without a line for its request."""
    server.sandbox.tokens.issue(server.sandbox.client)
    ask(server, "/v1/agents")
    holding(run("audit", "drill", "revocation"))
    ask(server, "/v1/agents")
    ended = "DR-2 does not hold: the call ends as if nothing were wrong"
    broken(run("audit", "end-drill"), ended)
    broken(run("audit", "log", "nothing"), "AU-1 does not hold: no record")
    holding(run("audit", "log", "nothing more"))


def test_an_attack_of_a_webhook_is_an_exit_status(run: Callable[..., Result]) -> None:
    """A receiver that takes what is not signed, but nothing wrong with what is genuine."""
    with receiving() as (url, _):
        webhook = json.loads(run("webhooks", "register", url, "--event", EVENT).stdout)["id"]
        holding(run("webhooks", "attack", webhook, "WH-01"))
        failed = run("webhooks", "attack", webhook, "WH-02")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("turris-sandbox: WH-02")
    assert (failed.stderr.count("\n"), " does not hold: " in failed.stderr) == (1, True)


@pytest.mark.parametrize("answer", [b"[]", b"{}"])
def test_an_answer_that_judges_nothing_does_not_hold(answer: bytes) -> None:
    """Another server may answer at the address."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer)
    with answering(head + answer) as url:
        result = CliRunner().invoke(app, ["journal", "failures", "--url", url])
    assert (result.exit_code, "not a turris-sandbox of this" in result.stderr) == (2, True)


def test_exit_statuses_name_the_commands_that_judge() -> None:
    """All of them, and no other."""
    named = next(row for row in EXIT_STATUSES if "`assert`" in row[1])
    assert set(named[1].replace("`", "").split(", ")) == JUDGING


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["name"])
def test_help_has_the_exit_statuses(row: dict[str, object]) -> None:
    """Of every control; those that judge say so."""
    words = row["words"]
    assert isinstance(words, list)
    result = CliRunner().invoke(app, [*words, "--help"])
    text = " ".join(result.output.split())
    assert "Exit status: 0 done" in text
    assert ("what it judges does not hold" in text) == bool(row["judges"])
