"""Secrets that a user chose, which no mark tells: they are masked by their values."""

import base64
import json
from urllib.parse import quote

import pytest

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.chosen_secrets import CHOSEN
from pytest_turris.core.text.redaction import (
    note_secret,
    preview,
    redact_credentials,
    redact_target,
)
from pytest_turris.core.wire.messages import Request
from pytest_turris.process.control_token import checked_control_token

KEY = 'Acme+Hook/Key "of the tests"'


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        quote(KEY),
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        *(base64.b64encode(b"x" * before + KEY.encode()).decode() for before in range(3)),
    ],
)
def test_each_spelling_is_masked(written: str) -> None:
    """As such, percent-encoded, in JSON, in hex, and in Base64 whatever is before it."""
    assert written in redact_credentials(written)
    note_secret(KEY)
    inside = written[4:-4]
    assert inside not in redact_credentials(f"before {written} after")


def test_where_secrets_enter() -> None:
    """Options, webhooks that are registered, and control tokens."""
    sandbox = Sandbox(Options(webhook_secret="a-key-of-options"))
    now = sandbox.clock.now()
    sandbox.outbox.register(
        "https://b.invalid/", "PRODUCER_AGREEMENT_EXECUTED", now, "a-key-of-a-webhook"
    )
    checked_control_token("a-control-token-1", "--token")
    for secret in ("a-key-of-options", "a-key-of-a-webhook", "a-control-token-1"):
        assert redact_credentials(f"[{secret}]") == f"[***-{secret[-4:]}]"


def test_receivers_remove_the_prefix_of_a_key() -> None:
    """A key of Standard Webhooks is masked without ``whsec_`` too."""
    key = base64.b64encode(b"a key of the tests").decode()
    note_secret(f"whsec_{key}")
    assert redact_credentials(key) == f"***-{key[-4:]}"


def test_journal_has_none() -> None:
    """Neither in a target, nor in a header of any name, nor in a body."""
    key = "AcmeHookKey-of-these-tests"
    sandbox = Sandbox(Options(webhook_secret=key))
    body = json.dumps({"npn": key}).encode()
    headers = (("x-hook", key), ("content-type", "application/json"))
    for path in (f"/v1/agents/{key}", "/v1/agents"):
        sandbox.handle(
            Request(method="POST", path=path, query=f"q={key}", headers=headers, body=body)
        )
    assert key not in json.dumps(sandbox.journal.snapshot())
    assert key not in sandbox.journal.last_line


def test_text_that_was_shown_before_is_masked_now() -> None:
    """What was shown is kept for the next time; a new secret makes it out of date."""
    sandbox = Sandbox()
    request = Request(method="GET", path="/v1/agents", query="q=a-secret-chosen-late")
    sandbox.handle(request)
    assert "chosen-late" in sandbox.journal[0].target
    note_secret("a-secret-chosen-late")
    sandbox.handle(request)
    assert sandbox.journal[1].target == "/v1/agents?q=***-late"


def test_secret_that_is_cut_is_masked() -> None:
    """The journal shows the first 2 KiB of a body; what is left of a secret there is masked."""
    note_secret("AcmeHookKey-of-these-tests")
    body = b"z" * 2_035 + b"AcmeHookKey-of-these-tests"
    assert preview(body).endswith("zzz***... (2,061 bytes)")


@pytest.mark.parametrize("secret", ["", "short", "seven77", "webhooks", "test-secret"])
def test_short_one_is_masked_by_its_name_only(secret: str) -> None:
    """It may be part of any word."""
    note_secret(secret)
    assert redact_target(f"/v1/agents/{secret}?q={secret}") == f"/v1/agents/{secret}?q={secret}"
    assert secret == "" or secret not in redact_target(f"/v1/agents?client_secret={secret}")


@pytest.mark.parametrize("filler", ["x" * 16, "0" * 64, "ab" * 32, "xyz" * 10])
def test_filler_is_part_of_other_texts(filler: str) -> None:
    """A key of fewer than four different characters is no secret: a test's name may have it."""
    note_secret(filler)
    assert redact_credentials(f"test_name[{filler * 3}]") == f"test_name[{filler * 3}]"


def test_own_secrets_take_no_room() -> None:
    """They are masked by their mark, and a server has thousands."""
    sandbox = Sandbox()
    note_secret(str(sandbox.client.client_secret))
    note_secret(base64.b64encode(str(sandbox.client.client_secret).encode()).decode())
    assert CHOSEN.forms == ()


def test_the_newest_hundred_are_known() -> None:
    """A server may be given one for each of thousands of tenants."""
    for number in range(1_000):
        CHOSEN.add(f"secret-number-{number}")
    assert redact_credentials("secret-number-900") == "***--900"
    assert redact_credentials("secret-number-899") == "secret-number-899"
