"""``turris-sandbox serve``, ``trigger`` and ``fidelity``: their output, errors and exit codes."""

import hmac
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.command_line import ENVIRONMENT, EVENT, run
from doubles.ports import free_port, has_ipv6
from doubles.served_sandbox import Receiver, RefusedError, receiving, serving

from mock_server.serving.exposure import is_loopback
from mock_server.shell.cli import app
from mock_server.shell.commands import COMMANDS
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.outbox.event_examples import template


def test_serves_the_credentials_that_it_prints() -> None:
    """The printed lines are enough to get a token, to write a record and to read it."""
    with serving() as running:
        authorization = f"Bearer {running.token()}"
        running.call("/v1/agents", data=b'{"npn":"12345678"}', Authorization=authorization)
        found = running.call("/v1/agents?npn=12345678", Authorization=authorization)
        assert [entry["agent"]["npn"] for entry in found["data"]] == ["12345678"]
        process = running.process
    assert process.returncode == 0
    assert process.stderr is not None


def test_log_shows_exchanges_and_no_secret() -> None:
    """Each exchange is a line on standard error with its reason, its token masked."""
    with serving() as running:
        token = running.token()
        with pytest.raises(RefusedError):
            running.call(f"/v1/agents?access_token={token}")
        process, secret = running.process, running.variables["TURRIS_CLIENT_SECRET"]
        process.send_signal(signal.SIGINT)
        log = process.communicate(timeout=60)[1]
    assert "POST /v1/auth/jwt -> 201  [get_oauth_token]" in log
    assert "[list_agents]  a token in the URL is never accepted" in log
    assert token not in log
    assert secret not in log


def test_serves_without_a_journal() -> None:
    """Without a journal, requests are answered and not logged."""
    with serving("-o", "journal_limit=0") as running:
        assert running.token().startswith("eyJ")
        process = running.process
        process.send_signal(signal.SIGINT)
        assert "get_oauth_token" not in process.communicate(timeout=60)[1]


def test_serves_https_with_its_own_authority() -> None:
    """``--tls`` prints the path of the authority's certificate; trusting it is enough."""
    with serving("--tls") as running:
        assert running.variables["TURRIS_BASE_URL"].startswith("https://127.0.0.1:")
        assert running.token().startswith("eyJ")


def test_each_run_has_credentials_of_its_own() -> None:
    """Credentials of an earlier run are refused."""
    with serving() as first, serving() as second:
        assert first.variables["TURRIS_CLIENT_SECRET"] != second.variables["TURRIS_CLIENT_SECRET"]
        first.variables["TURRIS_BASE_URL"] = second.variables["TURRIS_BASE_URL"]
        with pytest.raises(RefusedError, match="401"):
            first.token()


def test_web_pages_are_refused() -> None:
    """A request with a foreign Origin or a foreign Host is refused."""
    with serving() as running:
        with pytest.raises(RefusedError, match="403"):
            running.call("/v1/agents", Origin="https://evil.example")
        with pytest.raises(RefusedError, match="421"):
            running.call("/v1/agents", Host="evil.example")


def test_other_addresses_need_an_option() -> None:
    """Listening on an address that other machines can reach is refused; the error says how."""
    result = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])  # noqa: S104 - refused
    assert result.exit_code == 2
    assert "--i-understand-network-exposure" in result.output


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("token_tl=60", "there is no turris option 'token_tl'; did you mean 'token_ttl'?"),
        ("token_ttl=soon", "'soon' is not a number of seconds"),
        ("token_ttl", "write it as name=value"),
    ],
)
def test_wrong_options(option: str, words: str) -> None:
    """A mistake in ``--option`` is reported in one line, and nothing is served."""
    result = CliRunner().invoke(app, ["serve", "-o", option])
    assert result.exit_code == 2
    assert words in result.output
    assert "--option" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("command", "option", "words"),
    [
        ("trigger", "token_ttl=60", "only a sandbox that answers requests reads it"),
        ("trigger", "webhook_secret=x", "this command has an option of its own for it"),
        ("trigger", "time_tick=true", "only tests in pytest read it"),
        ("openapi", "fail_on_should=true", "only tests in pytest read it"),
    ],
)
def test_options_that_do_nothing(command: str, option: str, words: str) -> None:
    """One that the command does not read is accepted, and standard error says so."""
    more = [EVENT, "--print"] if command == "trigger" else []
    result = CliRunner().invoke(app, [command, *more, "-o", option], env=ENVIRONMENT)
    assert result.exit_code == 0, result.output
    name = option.partition("=")[0]
    assert f"--option {name} does nothing here: {words}" in result.stderr
    assert "does nothing" not in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        ["attack", "http://127.0.0.1:9/", "--secret-env"],
        ["attack", "http://127.0.0.1:9/", "--previous-secret-env"],
        ["trigger", EVENT, "--to", "http://127.0.0.1:9/", "--secret-env"],
        ["drift", "--against", "https://public.api.sandbox.turrisfi.com", "--yes", "--read-only",
         "--client-id-env"],
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)  # fmt: skip
def test_secret_in_the_place_of_a_variable_is_masked(command: list[str]) -> None:
    """Who pastes the key, and not the name of its variable, finds it in no log."""
    pasted = f"turris_sandbox_secret_{'key' * 6}cdef"
    result = CliRunner().invoke(app, [*command, pasted], env=ENVIRONMENT)
    assert result.exit_code == 2
    assert pasted not in result.output
    assert "***-cdef" in result.output


def test_options_that_do_something_are_silent() -> None:
    """Those of the signature are what a webhook is made with."""
    given = ["trigger", EVENT, "--print", "-o", "signature_encoding=base64"]
    assert "does nothing" not in CliRunner().invoke(app, given, env=ENVIRONMENT).stderr


def test_port_in_use() -> None:
    """A port that is in use is reported with the options that choose another one."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", "--port", port])
    assert result.exit_code == 2
    assert f"cannot listen on --host 127.0.0.1 --port {port}: " in result.output
    assert "try --port 0" in result.output


@pytest.mark.skipif(not has_ipv6(), reason="this machine has only one loopback address")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_port_in_use_at_the_other_loopback_address(host: str) -> None:
    """Where localhost would lead some clients, with their secret, to another process."""
    port = str(free_port())
    with socket.create_server(("::1", int(port)), family=socket.AF_INET6):
        command = ["serve", "--host", host, "--port", port, "--", sys.executable, "-c", ""]
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert f"cannot listen on --host {host} --port {port}: " in result.output
    assert "'::1'" in result.output
    assert "try --port 0" in result.output


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.1", False), ("a.b", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    """Addresses and names that only this machine can reach."""
    assert is_loopback(host) is expected


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    """The URL of a receiver on loopback, and the handler that records deliveries."""
    with receiving() as (url, handler):
        yield url, handler


def test_triggers_a_signed_event(receiver: tuple[str, type[Receiver]]) -> None:
    """The event has the members that were set, and a signature."""
    url, handler = receiver
    arguments = ["trigger", "producer-agreement-executed", "--to", url]
    arguments += ["--set", "branchName=West", "--set", "producerCode=null"]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "whsec"})
    entity = "507f1f77bcf86cd799439010"
    shown = f"PRODUCER_AGREEMENT_EXECUTED -> {url}: 204  (upstreamEntityId {entity})\n"
    assert result.output == shown
    [(body, signature)] = handler.received
    assert json.loads(body)["upstreamEntityId"] == entity
    assert json.loads(body)["payload"]["branchName"] == "West"
    assert json.loads(body)["payload"]["producerCode"] is None
    assert re.fullmatch("[0-9a-f]{64}", signature)


def test_triggers_a_payload_of_ones_own(
    receiver: tuple[str, type[Receiver]], tmp_path: Path
) -> None:
    """It is sent as it is written, signed in the scheme of its sender."""
    url, handler = receiver
    payload = tmp_path / "push.json"
    payload.write_text('{"ref":"refs/heads/main"}')
    arguments = ["trigger", "--to", url, "--scheme", "github", "--payload", str(payload)]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "whsec"})
    [(body, _)] = handler.received
    assert json.loads(body) == {"ref": "refs/heads/main"}
    assert result.output == f"{len(body)} bytes -> {url}: 204\n"


def test_commands_agree_on_the_entity(receiver: tuple[str, type[Receiver]]) -> None:
    """``serve`` prints it, and its sandbox has it; the environment gives it to ``trigger``."""
    url, handler = receiver
    entity = "65f1c0ffee65f1c0ffee65f1"
    with serving("--entity", entity) as running:
        assert running.variables["TURRIS_UPSTREAM_ENTITY_ID"] == entity
    arguments = ["trigger", "producer-agreement-executed", "--to", url]
    environment = {"TURRIS_WEBHOOK_SECRET": "whsec", "TURRIS_UPSTREAM_ENTITY_ID": entity}
    CliRunner().invoke(app, arguments, env=environment)
    [(body, _)] = handler.received
    assert json.loads(body)["upstreamEntityId"] == entity


def test_prints_what_it_would_send() -> None:
    """The body is exact, and the signature beside it is that of the body; no receiver is needed."""
    arguments = ["trigger", "PRODUCER_AGREEMENT_EXECUTED", "--print", "--set", "branchName=West"]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "whsec"})
    assert result.exit_code == 0
    assert json.loads(result.stdout)["payload"]["branchName"] == "West"
    [signature] = re.findall("(?i)x-turris-signature: ([0-9a-f]{64})\n", result.stderr)
    expected = hmac.new(b"whsec", result.stdout_bytes, "sha256").hexdigest()
    assert signature == expected


def test_needs_a_receiver_or_print() -> None:
    """The error names both."""
    arguments = ["trigger", "PRODUCER_AGREEMENT_EXECUTED"]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "whsec"})
    assert result.exit_code == 2
    assert "--to URL; or --print" in result.output


def test_help_lists_events_with_members_and_shells_complete_them() -> None:
    """Nobody has to look them up."""
    shown = CliRunner().invoke(app, ["trigger", "--help"], env={"COLUMNS": "120"}).output
    for name, event in EVENTS.items():
        payload = template(event)["payload"]
        members = payload[0] if isinstance(payload, list) else payload
        assert f"  {name}\n" in shown
        assert ", ".join(members) in shown
    asked = {
        "_TURRIS_SANDBOX_COMPLETE": "bash_complete",
        "COMP_WORDS": "turris-sandbox trigger pro",
    }
    completed = CliRunner().invoke(app, [], env=asked | {"COMP_CWORD": "2"})
    assert "PRODUCER_AGREEMENT_EXECUTED" in completed.output


def test_digits_are_a_string(receiver: tuple[str, type[Receiver]]) -> None:
    """An NPN needs no JSON quotes inside those of the shell."""
    url, handler = receiver
    arguments = ["trigger", "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED", "--to", url]
    result = CliRunner().invoke(
        app, [*arguments, "--set", "npn=7654321"], env={"TURRIS_WEBHOOK_SECRET": "whsec"}
    )
    assert result.exit_code == 0, result.output
    [(body, _)] = handler.received
    assert json.loads(body)["payload"]["npn"] == "7654321"


@pytest.mark.parametrize(
    ("answer", "shown"), [(b"wrong\nsignature", ["answer: wrong signature"]), (b"", [])]
)
def test_a_refused_trigger_is_an_exit_status(
    receiver: tuple[str, type[Receiver]], answer: bytes, shown: list[str]
) -> None:
    """If the receiver refuses the webhook, the command exits with 1, and shows what it said."""
    url, handler = receiver
    handler.status, handler.answer = 401, answer
    arguments = ["trigger", "PRODUCER_AGREEMENT_EXECUTED", "--to", url]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "whsec"})
    assert result.exit_code == 1
    assert ": 401" in result.output
    assert [line for line in result.output.splitlines() if "answer:" in line] == shown


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["PRODUCER_AGREEMENT_EXECUTED", "--to", "http://10.0.0.1/"],
            "10.0.0.1 is not this machine. To send there, use --allow 10.0.0.1:80",
        ),
        (
            ["PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:1/?token=0123456789abcdef"],
            "no answer from --to http://127.0.0.1:1/?token=***-cdef",
        ),
        (["PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:1/"], "no answer from"),
        (["PRODUCER_AGREEMENT", "--to", "http://127.0.0.1:1/"], "PRODUCER_AGREEMENT_EXECUTED"),
        (
            ["PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:1/", "--set", "branch=x"],
            "did you mean 'branchName'?",
        ),
        (["PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:1/", "--set", "x"], "member="),
        (["--to", "http://127.0.0.1:1/"], "give an EVENT, such as PRODUCER_AGREEMENT_EXECUTED"),
        (
            ["PRODUCER_AGREEMENT_EXECUTED", "--print", "--payload", "push.json"],
            "--payload is sent as it is: leave out EVENT and --set",
        ),
        (
            ["http://me:secret@127.0.0.1:1/", "PRODUCER_AGREEMENT_EXECUTED"],
            "--to: turris-sandbox trigger PRODUCER_AGREEMENT_EXECUTED --to http://***@127.0.0.1:1/\n",
        ),
        (
            ["http://127.0.0.1:1/", "--to", "PRODUCER_AGREEMENT_EXECUTED"],
            "turris-sandbox trigger PRODUCER_AGREEMENT_EXECUTED --to http://127.0.0.1:1/\n",
        ),
        (
            ["PRODUCER_AGREEMENT_EXECUTED", "West", "--print"],
            "got 2 words for one EVENT: PRODUCER_AGREEMENT_EXECUTED, West; write ",
        ),
        (["PRODUCER_AGREEMENT_EXECUTED", "--to", "receiver"], "'receiver' is not a URL, such as"),
        (["PRODUCER_AGREEMENT_EXECUTED", "--to", "localhost:1"], "write http://localhost:1\n"),
    ],
)
def test_wrong_triggers(arguments: list[str], words: str) -> None:
    """A mistake is reported in one line, and nothing is sent."""
    result = CliRunner().invoke(app, ["trigger", *arguments], env={"TURRIS_WEBHOOK_SECRET": "k"})
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["attack"], "Missing argument 'URL'. Write: turris-sandbox attack [OPTIONS] URL\n"),
        (["attack", "a", "b"], "argument (b). Write: turris-sandbox attack [OPTIONS] URL\n"),
        (["list"], "Missing command. Write: turris-sandbox list agents|"),
        (["attack", "--no-such", "x"], "No such option '--no-such'.\n"),
    ],
)
def test_wrong_numbers_of_arguments(arguments: list[str], words: str) -> None:
    """They are answered with the form of the command; other mistakes have their own words."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_no_trigger_without_a_key() -> None:
    """The signing key comes from the environment, never from the command line."""
    arguments = ["trigger", "PRODUCER_AGREEMENT_EXECUTED", "--to", "http://127.0.0.1:1/"]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": ""})
    assert result.exit_code == 2
    assert "set TURRIS_WEBHOOK_SECRET" in result.output


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--profile", "fast", "--profile 'fast' is not one of 'quick', 'full'"),
        ("--event", "SIGNED", "--event 'SIGNED' is not one of 'AGENT_COMPLIANCE_STATUS_CHANGE'"),
    ],
)
def test_wrong_attacks(option: str, value: str, words: str) -> None:
    """An option of ``attack`` with an unknown value is reported, and nothing is sent."""
    arguments = ["attack", "http://127.0.0.1:1/", option, value]
    result = CliRunner().invoke(app, arguments, env={"TURRIS_WEBHOOK_SECRET": "k"})
    assert result.exit_code == 2
    assert words in result.output


def test_prints_the_fidelity_table() -> None:
    """Every row is printed, with how it is known."""
    result = CliRunner().invoke(app, ["fidelity"], env={"COLUMNS": "400"})
    assert result.exit_code == 0
    assert all(row.topic in result.output for row in FIDELITY)
    assert result.output.count("assumed") >= 20


def test_without_the_extra_it_says_how_to_install_it() -> None:
    """Without the extra, the command prints its name instead of a traceback."""
    code = "import sys; sys.modules['click'] = None; from mock_server.__main__ import main; main()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == "turris-sandbox needs an extra: pip install 'pytest-turris[server]'\n"


def test_another_missing_package_is_an_error() -> None:
    """A missing package that is not part of the extra is not blamed on the extra."""
    code = (
        "import sys; sys.modules['uvicorn'] = None; from mock_server.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "serve", "--port", "0"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert run.returncode == 3
    assert "ModuleNotFoundError: import of uvicorn halted" in run.stderr
    assert "needs an extra" not in run.stderr


def test_ctrl_c_during_the_start_has_no_traceback() -> None:
    """Whatever is being imported: one line, and the status that shells give an interrupted one."""
    early = (130, "turris-sandbox: interrupted")
    late = (0, "turris-sandbox: stopped before it was ready")
    for module, ended in {
        "click": early,
        "mock_server.serving.command": early,
        "uvicorn": late,
    }.items():
        program = (
            "import sys\n"
            "class Interrupting:\n"
            "    def find_spec(self, name, *_):\n"
            f"        if name == {module!r}: raise KeyboardInterrupt\n"
            "sys.meta_path.insert(0, Interrupting())\n"
            "from mock_server.__main__ import main; main()"
        )
        command = [sys.executable, "-c", program, "serve", "--port", "0"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr.strip()) == ended


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("serv", "'serve'"),
        ("jornal", "'journal'"),
        ("learn", "'learn-signature'"),
        ("to-exp", "'clock to-expiry'"),
        ("clock adv", "'advance'"),
        ("cler", "'journal clear', 'audit clear' or 'faults clear'"),
        ("exchanges", "'journal'"),
        ("secrets", "'credentials'"),
    ],
)
def test_wrong_commands_name_what_was_meant(words: str, meant: str) -> None:
    """A command that begins so comes first, then one like it, then one that is about it."""
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 2
    wrong = words.rpartition(" ")[2]
    expected = f"turris-sandbox: there is no command {wrong!r}; did you mean {meant}?\n"
    assert result.output == expected


def test_a_wrong_command_that_could_mean_many_has_no_suggestion() -> None:
    """A list of half the commands would not help."""
    result = CliRunner().invoke(app, ["s"])
    assert result.output == "turris-sandbox: there is no command 's'\n"


@pytest.mark.parametrize("name", [row.name for row in COMMANDS])
def test_every_command_has_help_without_the_sandbox(name: str) -> None:
    """Its help is there at once: nothing of the sandbox is imported for it."""
    code = (
        "import sys; from mock_server.__main__ import main\n"
        f"sys.argv[1:] = [{name!r}, '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'cryptography', 'jwt', 'uvicorn', 'asyncio', 'rich', 'ssl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"Usage: turris-sandbox {name}")


def test_the_list_of_commands_is_that_of_the_table() -> None:
    """Without arguments, all commands are listed with their sentences."""
    result = CliRunner().invoke(app, [])
    assert result.exit_code == 0
    assert all(f"  {row.name} " in result.output for row in COMMANDS)
    printed = " ".join(result.output.split())  # a long sentence is wrapped
    assert all(row.summary in printed for row in COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completes_commands_and_options(shell: str) -> None:
    """The script is that of the shell, and what it asks for completes commands."""
    script = CliRunner().invoke(app, ["completion", shell]).output
    assert "_TURRIS_SANDBOX_COMPLETE" in script
    asked = {"_TURRIS_SANDBOX_COMPLETE": f"{shell}_complete"}
    asked |= {"COMP_WORDS": "turris-sandbox tri", "COMP_CWORD": "1" if shell != "fish" else "tri"}
    completed = CliRunner().invoke(app, [], env=asked)
    assert "trigger" in completed.output
