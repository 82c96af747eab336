"""What each fixture gives, alone and together. They are used here as anybody would use them."""

import os
import re
import subprocess
import sys

import httpx
import pytest
import requests

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.live_fixture import Server
from pytest_turris.time_travel import TimeTravel
from pytest_turris.webhooks.factory import WebhookFactory

from .project import Project

JWKS = "/.well-known/jwks.json"


def environment() -> dict[str, str]:
    """What a client reads."""
    return {name: value for name, value in os.environ.items() if name.startswith("TURRIS_")}


def expected(sandbox: Sandbox, base_url: str) -> dict[str, str]:
    """What it is to find."""
    return {
        "TURRIS_BASE_URL": base_url,
        "TURRIS_CLIENT_ID": sandbox.client.client_id,
        "TURRIS_CLIENT_SECRET": str(sandbox.client.client_secret),
        "TURRIS_WEBHOOK_SECRET": str(sandbox.webhook_secret),
    }


def test_turris_answers_httpx_in_process(turris: Sandbox) -> None:
    """``turris`` alone: httpx reaches the sandbox, at the documented URL."""
    assert turris.base_url == "https://public.api.sandbox.turrisfi.com"
    assert httpx.get(turris.base_url + JWKS).json()["keys"]
    assert [seen.operation for seen in turris.journal] == ["jwks"]


def test_turris_sets_the_environment(turris: Sandbox) -> None:
    """``turris`` alone: URL and credentials are in the environment."""
    assert environment() == expected(turris, turris.base_url)


def test_server_answers_any_client(turris_server: Server) -> None:
    """``turris_server`` alone: the sandbox on a socket, its URL in the environment."""
    assert requests.get(turris_server.base_url + JWKS, timeout=5).json()["keys"]
    assert environment() == expected(turris_server.sandbox, turris_server.base_url)


def test_server_answers_a_subprocess(turris_server: Server) -> None:
    """``turris_server`` alone: a process that a test starts finds it by the environment."""
    script = "import os, urllib.request as r; print(r.urlopen(os.environ['TURRIS_BASE_URL'] + %r))"
    done = subprocess.run([sys.executable, "-c", script % JWKS], check=True, capture_output=True)
    assert done.stderr == b""
    assert len(turris_server.sandbox.journal) == 1


@pytest.mark.turris(tls=True)
def test_server_speaks_https(turris_server: Server) -> None:
    """With ``tls=True`` the server speaks HTTPS and says whom to trust."""
    assert turris_server.base_url.startswith("https://127.0.0.1:")
    context = turris_server.client_context()
    assert httpx.get(turris_server.base_url + JWKS, verify=context).status_code == 200
    answer = requests.get(turris_server.base_url + JWKS, verify=turris_server.ca_file, timeout=5)
    assert answer.status_code == 200


def test_plain_server_has_no_authority(turris_server: Server) -> None:
    """Without ``tls=True`` there is nothing to trust, and asking for it says what to do."""
    assert turris_server.ca_file is None
    with pytest.raises(RuntimeError, match="tls=True"):
        turris_server.client_context()


def test_webhooks_alone(turris_webhooks: WebhookFactory) -> None:
    """``turris_webhooks`` alone: signed with the secret that the environment holds."""
    webhook = turris_webhooks.producer_agreement_executed(branchName="West")
    assert webhook.headers["X-Turris-Signature"]
    assert os.environ["TURRIS_WEBHOOK_SECRET"] == str(turris_webhooks.key)


def test_time_alone(turris_time: TimeTravel) -> None:
    """``turris_time`` alone: time stands, and the environment is set."""
    assert turris_time.now == turris_time.now
    assert set(environment()) == {
        f"TURRIS_{name}" for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET")
    }


def test_all_together_share_one_sandbox(
    turris: Sandbox,
    turris_server: Server,
    turris_time: TimeTravel,
    turris_webhooks: WebhookFactory,
) -> None:
    """All fixtures of a test are about the same sandbox; the environment names the server."""
    assert turris_server.sandbox is turris
    assert os.environ["TURRIS_BASE_URL"] == turris_server.base_url
    for base_url in (turris.base_url, turris_server.base_url):
        assert httpx.get(base_url + JWKS).status_code == 200
    assert len(turris.journal) == 2
    assert turris_time.now == turris.clock.now()
    assert turris_webhooks.key == turris.webhook_secret


def test_order_does_not_matter(turris_server: Server, turris: Sandbox) -> None:
    """The environment names the server, also if ``turris`` was asked for last."""
    assert os.environ["TURRIS_BASE_URL"] == turris_server.base_url


@pytest.mark.turris(
    env_base_url="AGENCY_URL",
    env_client_id="AGENCY_ID",
    env_client_secret="AGENCY_SECRET",
    env_webhook_secret="AGENCY_HOOK",
)
def test_environment_is_renamed_by_options(turris: Sandbox, turris_server: Server) -> None:
    """The variables have the names that the options give them, and no others are set."""
    assert environment() == {}
    assert os.environ["AGENCY_URL"] == turris_server.base_url
    assert os.environ["AGENCY_ID"] == turris.client.client_id
    assert os.environ["AGENCY_SECRET"] == str(turris.client.client_secret)
    assert os.environ["AGENCY_HOOK"] == str(turris.webhook_secret)


def test_secrets_cannot_be_taken_for_real(turris: Sandbox) -> None:
    """Whatever is in the environment shows that it is a sandbox's."""
    assert os.environ["TURRIS_CLIENT_ID"].startswith("turris_sandbox_client_")
    assert os.environ["TURRIS_CLIENT_SECRET"].startswith("turris_sandbox_secret_")


@pytest.mark.parametrize("fixture", ["turris", "turris_server", "turris_time", "turris_webhooks"])
def test_environment_is_restored(
    project: Project, monkeypatch: pytest.MonkeyPatch, fixture: str
) -> None:
    """After a test, and after a failed one, the variables are what they were before."""
    monkeypatch.setenv("TURRIS_BASE_URL", "https://the.user.example")
    project.files(
        "import os",
        f"def test_passes({fixture}): assert os.environ['TURRIS_CLIENT_ID']",
        f"def test_fails({fixture}): assert 0",
        f"def test_overwrites({fixture}): os.environ['TURRIS_CLIENT_ID'] = 'mine'",
        "def test_after():",
        "    assert os.environ['TURRIS_BASE_URL'] == 'https://the.user.example'",
        "    assert 'TURRIS_CLIENT_ID' not in os.environ",
    )
    project.run().assert_outcomes(passed=3, failed=1)
    assert environment() == {"TURRIS_BASE_URL": "https://the.user.example"}


def test_each_test_starts_afresh(project: Project) -> None:
    """Neither records nor credentials of one test are those of another."""
    project.files(
        "import pytest",
        "seen = set()",
        "@pytest.mark.parametrize('n', range(3))",
        "def test_fresh(turris, turris_server, n):",
        "    assert len(turris.agents) == turris.token_requests == len(turris.journal) == 0",
        "    turris.agents.add()",
        "    secrets = {turris.client.client_id, str(turris.client.client_secret)}",
        "    assert not secrets & seen",
        "    seen.update(secrets)",
    )
    project.run().assert_outcomes(passed=3)


def test_no_sandbox_outlives_its_test(project: Project) -> None:
    """A run of many tests does not grow by a sandbox for each."""
    project.files(
        "import gc, weakref",
        "kept = []",
        "def test_1(turris): kept.append(weakref.ref(turris))",
        "def test_2():",
        "    gc.collect()",
        "    assert kept[0]() is None",
    )
    project.run().assert_outcomes(passed=2)


def test_failure_repeats_with_the_same_ids(project: Project) -> None:
    """The same test gets the same ids in each run, so that a failure can be repeated."""
    project.files(
        "def test_prints(turris):",
        "    print('id:', turris.agents.add().id, turris.client.client_id)",
    )
    lines = [[line for line in project.run("-s").outlines if "id:" in line] for _ in range(2)]
    assert lines[0] == lines[1]
    assert lines[0]


def test_one_server_serves_the_session(project: Project) -> None:
    """The socket is opened once for a run, not for each test."""
    project.files(
        "import pytest",
        "seen = set()",
        "@pytest.mark.parametrize('n', range(3))",
        "def test_server(turris_server, n):",
        "    seen.add(turris_server.base_url)",
        "    assert len(seen) == 1",
    )
    project.run().assert_outcomes(passed=3)


def test_fixtures_are_listed_with_a_sentence(project: Project) -> None:
    """``pytest --fixtures`` names each fixture with what it is; private ones stay hidden."""
    listed = project.run("--fixtures").stdout.str()
    for name, sentence in {
        "turris": "A fresh sandbox: httpx, httpx2 and requests are answered",
        "turris_server": "The same sandbox on a real loopback socket",
        "turris_time": "Time travel for the sandbox and for the code under test.",
        "turris_webhooks": "A factory of signed webhooks",
    }.items():
        assert re.search(rf"^{name} -- .*plugin\.py:\d+\n    {sentence}", listed, re.MULTILINE)
    assert "_turris_" not in listed


def test_fixture_found_at_run_time_is_watched_too(project: Project) -> None:
    """``request.getfixturevalue`` works as asking for the fixture does."""
    project.files(
        "import os",
        "def test_dynamic(request):",
        "    assert request.getfixturevalue('turris').base_url == os.environ['TURRIS_BASE_URL']",
    )
    project.run().assert_outcomes(passed=1)
