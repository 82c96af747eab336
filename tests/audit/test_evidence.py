"""Evidence from attacks, token rules, hostile answers, drills, sockets and a shared server."""

from typing import Any

import pytest
from audit.conftest import AuditedProject
from doubles.served_sandbox import serving

ACTIVE = '''
"""A client and two receivers; each is asked what only an attacker would."""

import hashlib
import hmac
import os

import httpx
import pytest


def receiver(verifies):
    def app(environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
        expected = hmac.new(key, body, hashlib.sha256).hexdigest()
        given = environ.get("HTTP_X_TURRIS_SIGNATURE", "")
        good = hmac.compare_digest(given.encode("latin-1"), expected.encode())
        start_response("204 No Content" if good or not verifies else "401 Unauthorized", [])
        return []

    return app


class Client:
    """Asks for a token each time."""

    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])

    def agents(self):
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = self.http.post("/v1/auth/jwt", json=body).raise_for_status()
        token = answer.json()["data"]["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        return self.http.get("/v1/agents", headers=headers).raise_for_status().json()["data"]


@pytest.mark.parametrize("verifies", [True, False])
def test_webhook(turris_webhooks, verifies):
    webhook = turris_webhooks.producer_agreement_executed()
    assert webhook.send(receiver(verifies), "/webhooks").status_code == 204


def test_attack(turris_webhook_attack):
    turris_webhook_attack.run(receiver(False), "/webhooks")


def test_rule(turris_token_case):
    turris_token_case.run(lambda: Client().agents())


def test_hostile(turris_hostile_answer):
    turris_hostile_answer.run(lambda: Client().agents())


def test_rotation(turris_audit):
    turris_audit.rotation_drill(Client().agents)


def test_revocation(turris_audit):
    turris_audit.revocation_drill(Client().agents)


def test_a_drill_without_requests(turris_audit, turris):
    client = Client()
    calls = [client.agents, list]
    turris_audit.revocation_drill(lambda: calls.pop(0)())
'''
CHOSEN = (
    "test_webhook or WH-05 or TC-01 or TC-16 or AR-17 or test_rotation or test_revocation "
    "or test_a_drill"
)


def _states(report: dict[str, Any]) -> dict[str, str]:
    return {line["id"]: line["status"] for line in report["lines"]}


def test_verdicts_of_other_checks_are_evidence(audited: AuditedProject) -> None:
    """As proof or as violation, at the line of the test that asked for them."""
    audited.pytester.makepyfile(test_active=ACTIVE)
    report = audited.run("--turris-verify-webhooks", "-k", CHOSEN)
    found = {one["check"]: one for one in report["results"]}
    held = {check["check"]: check["times"] for check in report["checks"]}
    states = _states(report)
    # Refuted: one receiver takes anything, and the client gets a token for each call.
    assert (states["SEC-13"], states["SEC-08"]) == ("violated", "violated")
    assert {"VW-1", "WH-05", "TC-01"} <= set(found)
    lines = ACTIVE.strip().splitlines()
    for check, function in (("WH-05", "attack"), ("TC-01", "rule"), ("VW-1", "webhook")):
        assert found[check]["path"] == "test_active.py"
        place = lines[found[check]["line"] - 1]
        assert place.startswith(("@pytest.mark.parametrize", f"def test_{function}("))
    # Proven: no token in a URL, the client follows a rotation, and stops when it is revoked.
    assert (states["SEC-07"], states["SEC-03"], states["SEC-17"]) == ("proven",) * 3
    assert (held["DR-1"], held["DR-2"], held["VW-1"]) == (1, 1, 2)


def test_what_provokes_the_client_is_no_mistake_of_it(audited: AuditedProject) -> None:
    """The passive rules leave these tests out: there the kit breaks what they look at."""
    audited.pytester.makepyfile(test_active=ACTIVE)
    report = audited.run("-k", "TC-16 or AR-17")
    assert not {one["check"] for one in report["checks"]} & {"RQ-01", "RQ-05", "LK-01"}
    assert _states(report)["SEC-07"] == "proven"


SOCKETS = '''
"""A client on a thread of its own, and one in another process."""

import json
import os
import subprocess
import sys
import threading
import urllib.request

import leaky

CHILD = """
import leaky
leaky.agents()
"""


def test_in_this_process(turris_server):
    leaky.agents()


def test_on_a_thread(turris_server):
    thread = threading.Thread(target=leaky.agents)
    thread.start()
    thread.join()


def test_in_another_process(turris_server):
    subprocess.run([sys.executable, "-c", CHILD], env=turris_server.environment(), check=True)
'''
LEAKY = """
import json
import os
import urllib.request


def post(path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(os.environ["TURRIS_BASE_URL"] + path, data)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]


def agents():
    names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
    body = {member: os.environ[name] for member, name in names.items()}
    token = post("/v1/auth/jwt", body)["accessToken"]
    request = urllib.request.Request(f"{os.environ['TURRIS_BASE_URL']}/v1/agents?jwt={token}")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as answer:  # RQ-01
        return json.load(answer)["data"]
"""


def _found_over_sockets(audited: AuditedProject, *args: str) -> set[tuple[str, int, str]]:
    audited.pytester.makepyfile(test_sockets=SOCKETS, leaky=LEAKY)
    report = audited.run("-k", "not nothing", *args, apart=True)
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"passed": 3}
    return {
        (one["path"], one["line"], ",".join(one["tests"]))
        for one in report["results"]
        if one["check"] == "RQ-01"
    }


LINE = 1 + LEAKY.splitlines().index("    with urllib.request.urlopen(request) as answer:  # RQ-01")


def _expected() -> set[tuple[str, int, str]]:
    lines = SOCKETS.strip().splitlines()
    other = 1 + lines.index("def test_in_another_process(turris_server):")
    own = "test_sockets.py::test_in_this_process,test_sockets.py::test_on_a_thread"
    return {
        ("leaky.py", LINE - 1, own),
        ("test_sockets.py", other, "test_sockets.py::test_in_another_process"),
    }


def test_a_client_over_a_socket_is_found_at_its_line(audited: AuditedProject) -> None:
    """In this process and on a thread; of another process only the test is known."""
    assert _found_over_sockets(audited) == _expected()


def test_a_shared_server_changes_nothing(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``--turris-url`` the sandbox of a test is in its process, and so is its audit."""
    with serving() as running:
        monkeypatch.setenv("TURRIS_CONTROL_TOKEN", running.variables["TURRIS_CONTROL_TOKEN"])
        url = running.variables["TURRIS_BASE_URL"]
        assert _found_over_sockets(audited, "--turris-url", url) == _expected()
        own = running.call(
            "/__sandbox__/audit",
            Authorization=f"Bearer {running.variables['TURRIS_CONTROL_TOKEN']}",
        )
    assert own["requests"] == 0
