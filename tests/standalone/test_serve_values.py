"""``turris-sandbox serve``: options that do nothing, allowed receivers, seeds."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from mock_server.shell.cli import app

_PRINTS_ITS_ID = [sys.executable, "-c", "import os; print(os.environ['TURRIS_CLIENT_ID'])"]


def served_once(*options: str) -> tuple[str, str]:
    """The client id of a server that runs one command, and what it says besides."""
    words = ["serve", "--port", "0", "--log-level", "error", *options, "--", *_PRINTS_ITS_ID]
    done = subprocess.run(
        [sys.executable, "-m", "mock_server", *words], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_a_seed_repeats_the_credentials_and_what_does_nothing_is_named() -> None:
    """Without a seed, each start has its own. What acts in a server is not named."""
    one, said = served_once("-o", "seed=5", "-o", "time_tick=true")
    assert said == (
        "turris-sandbox: --option time_tick does nothing here: only tests in pytest read it\n"
    )
    other, said = served_once("-o", "seed=5", "-o", "token_ttl=60")
    assert said == ""
    assert one == other
    assert served_once()[0] not in (one, served_once()[0])


NOT_ALLOWED = [
    "foo", "http://app:3000", "app:", ":3000", "::1:3000", "a b:1", "*:3000", "*", "*.app:3000",
    "app:99999", "app:65536", "app:0", "app:03000", "app:-1", "app:+1", "app:\u0663", "[app]:3000",
    "[::1%lo]:3000", "b\u00fccher.test:3000", "app/a:3000", "me@app:3000", "app:3000\n",
]  # fmt: skip


@pytest.mark.parametrize("text", NOT_ALLOWED)
@pytest.mark.parametrize(
    "words",
    [("serve", "--client-id", "so that it ends if it gets so far"), ("trigger",)],
    ids=["serve", "trigger"],
)
def test_an_allowed_receiver_has_a_host_and_a_port(words: tuple[str, ...], text: str) -> None:
    """Anything else would allow nothing, in silence."""
    result = CliRunner().invoke(app, [*words, "--allow", "app:3000", "--allow", text])
    assert result.exit_code == 2
    assert "is not HOST:PORT, such as app:3000 or [::1]:3000, with a port from 1 to 65535" in (
        " ".join(result.output.split())
    )


@pytest.mark.parametrize("command", ["serve", "openapi"])
def test_a_path_that_another_operation_has_is_refused(command: str) -> None:
    """In one line, whichever command would describe it."""
    result = CliRunner().invoke(app, [command, "-o", "webhooks_path=/v1/agents"])
    assert result.exit_code == 2
    assert result.output == (
        "turris-sandbox: --option: turris option 'webhooks_path': '/v1/agents' is taken, "
        "as POST /v1/agents is there\n"
    )
