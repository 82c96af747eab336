"""The vendors' own libraries as receivers of each scheme: none is accused of anything serious.

The receivers in Node are in ``node_schemes``, installed as its lock file says.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gidgethub.sansio
import pytest
import standardwebhooks
import stripe
import svix.webhooks
from doubles.command_line import run
from slack_sdk.signature import SignatureVerifier

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.own_payload import OwnPayload
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.learning.learned import learn_signature

DIRECTORY = Path(__file__).parent / "node_schemes"
PAYLOAD = '{"id":"{{id}}","name":"caf\xe9"}'
KEY = "turris_sandbox_whsec_0123456789abcdef"
KEY_IN_BASE64 = f"whsec_{base64.b64encode(KEY.encode()).decode()}"
IN_BASE64 = ("standard-webhooks", "svix")

JSON_AND_TYPE = {"WH-70", "WH-97"}
"""Of repeated members ``json.loads`` and ``JSON.parse`` take the last, and no library looks at the
content type: both are about the receiver's own code, and no ``must``."""

LENIENT = {"WH-08", "WH-16", "WH-17", "WH-18"}
"""Python's lenient base64 decoder accepts several texts for one signature: a ``should``."""


LEGACY = {"WH-21"}
"""gidgethub takes GitHub's older ``sha1=`` in the header of SHA-256, too: a ``should``."""

ALLOWED = {
    "standard-webhooks": JSON_AND_TYPE | LENIENT,
    "svix": JSON_AND_TYPE | LENIENT,
    "github": JSON_AND_TYPE | LEGACY,
}


def key_of(scheme: str) -> str:
    """The signing key in the form of the scheme."""
    return KEY_IN_BASE64 if scheme in IN_BASE64 else KEY


Verify = Callable[[bytes, dict[str, str]], object]

PYTHON: dict[str, Verify] = {
    "standard-webhooks": standardwebhooks.Webhook(KEY_IN_BASE64).verify,
    "svix": svix.webhooks.Webhook(KEY_IN_BASE64).verify,
    "stripe": lambda body, headers: stripe.Webhook.construct_event(
        body, headers["stripe-signature"], KEY
    ),
    "github": lambda body, headers: gidgethub.sansio.validate_event(
        body, signature=headers["x-hub-signature-256"], secret=KEY
    ),
    "slack": lambda body, headers: SignatureVerifier(KEY).is_valid_request(body, headers) or 1 / 0,
}


class Inbox:
    """A receiver that believes a library: what it raises, for whatever reason, is a refusal."""

    def __init__(self, scheme: str) -> None:
        self._library = PYTHON[scheme]
        self.seen: set[str] = set()

    def verify(self, body: bytes, headers: Any) -> bool:
        """Verify, parse, and act once."""
        try:
            self._library(body, {name.lower(): value for name, value in dict(headers).items()})
            event = json.loads(body.decode())
            event["id"]
        except Exception:  # noqa: BLE001 - as different as the libraries
            return False
        self.seen.add(hashlib.sha256(body).hexdigest())
        return True


@pytest.mark.parametrize("scheme", PYTHON)
def test_python_libraries(scheme: str) -> None:
    """In process, with the effects in sight, the whole catalogue finds no ``must``."""
    given = {"signature_scheme": scheme, "webhook_secret": key_of(scheme)}
    sandbox = Sandbox(Options.from_layers(given), name="libraries")
    inbox = Inbox(scheme)
    context = AttackContext(
        factory=WebhookFactory.of(sandbox),
        payload=OwnPayload(PAYLOAD.encode(), sandbox.new_object_id),
        hooks=ReceiverHooks(log=str, shown=str, restart=lambda: None, api_paths=list),
    )
    receiver = Receiver(inbox.verify, effects=lambda: len(inbox.seen))
    verdicts = [run_attack(attack, receiver, context) for attack in ATTACKS]
    found = {one.check.id: one for one in verdicts if one.outcome in ("failed", "warned")}
    assert set(found) <= ALLOWED.get(scheme, JSON_AND_TYPE), "\n".join(map(str, found.values()))
    assert not [one for one in found.values() if one.outcome == "failed"]
    assert sum(one.outcome == "passed" for one in verdicts) > 30


@pytest.fixture(scope="session")
def node_libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the vendors' libraries for Node, and the programs that use them."""
    if not (shutil.which("node") and shutil.which("npm")):
        missing("node and npm are not on this machine")
    directory = tmp_path_factory.mktemp("node_schemes")
    for file in DIRECTORY.iterdir():
        shutil.copy(file, directory)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
    done = subprocess.run(
        command, cwd=directory, capture_output=True, text=True, timeout=180, check=False
    )
    if done.returncode:
        missing(f"npm could not install the libraries: {done.stderr[-300:]}")
    return directory


@pytest.fixture(scope="session")
def node_receivers(node_libraries: Path) -> Iterator[str]:
    """The URL of a server in Node with a receiver for each scheme."""
    process = subprocess.Popen(
        ["node", "receivers.js"],  # noqa: S607 - found on the path, as the skip says
        cwd=node_libraries,
        env=os.environ | {"KEY": KEY, "KEY_IN_BASE64": KEY_IN_BASE64},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def missing(reason: str) -> None:
    """Skip with the reason; fail where everything has to run."""
    if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize(
    "scheme", ["standard-webhooks", "svix", "stripe", "github", "slack", "shopify"]
)
def test_node_libraries(node_receivers: str, scheme: str, tmp_path: Path) -> None:
    """From the command line, as their authors would try it, the full profile finds no ``must``."""
    url, report, payload = f"{node_receivers}/{scheme}", tmp_path / "report.json", tmp_path / "sent"
    payload.write_text(PAYLOAD, encoding="utf-8")
    done = run(
        "attack", url, "--scheme", scheme, "--payload", str(payload), "--profile", "full",
        "--effects-url", url, "--json", str(report), TURRIS_WEBHOOK_SECRET=key_of(scheme),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    verdicts = json.loads(report.read_text())["verdicts"]
    found = {one["id"] for one in verdicts if one["outcome"] in ("failed", "warned")}
    assert found <= JSON_AND_TYPE, done.output
    assert sum(one["outcome"] == "passed" for one in verdicts) > 50


def test_learns_what_node_libraries_sign(node_libraries: Path) -> None:
    """From what each vendor's library signs, its scheme is learned."""
    done = subprocess.run(
        ["node", "signers.js"],  # noqa: S607 - found on the path, as the skip says
        cwd=node_libraries,
        env=os.environ | {"KEY": KEY, "KEY_IN_BASE64": KEY_IN_BASE64},
        capture_output=True,
        check=True,
        timeout=200,
    )
    signed = json.loads(done.stdout)
    body = signed["body"].encode()
    for scheme, headers in signed["headers"].items():
        learned = learn_signature(headers, body, secret=key_of(scheme))
        assert learned.options == {"signature_scheme": scheme}, str(learned)
