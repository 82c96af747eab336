"""Credentials of HTTP Basic and Bearer, and own secrets in Base64, are masked in reports."""

import base64
import itertools
import json

import pytest

from pytest_turris.core.text.encoded_secrets import MARKS
from pytest_turris.core.text.redaction import preview, redact_credentials

CANARY = "canary-0123456789-wxyz"
SECRET = "turris_sandbox_secret_0123456789abcdef0123456789abcdef01234567"
CODED = base64.b64encode(f"client:{CANARY}".encode()).decode()


@pytest.mark.parametrize(
    "before", ["", "a", "ab", "turris_sandbox_client_012:", "\xff", ">>>?", '{"\xfb\xff\xfe":"']
)
@pytest.mark.parametrize("after", ["", "\xff\xff", "\nx"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_masks_an_own_secret_in_base64(before: str, after: str, encode: object) -> None:
    """At each of the three offsets, in both alphabets, with all that is encoded with it."""
    assert callable(encode)
    coded = encode(f"{before}{SECRET}{after}".encode()).decode()
    assert redact_credentials(f"x = '{coded}'.") == f"x = '***-{coded[-4:]}'."


def test_the_marks_are_those_of_base64() -> None:
    """They are what is the same in each encoded text, whatever is around the name."""
    for known, after in ((b"turris_sandbox_", b"c"), (b"eyJhbGciOi", b"J")):
        for byte, offset in itertools.product((b"\0", b"\xff", b"a"), range(3)):
            encoded = base64.b64encode(byte * offset + known + after + byte * 3).decode()
            assert sum(mark in encoded for mark in MARKS) == 1
        assert known.hex() in MARKS
        assert known.hex().upper() in MARKS


@pytest.mark.parametrize("secret", [CODED, CANARY, "short", "a.b.c", "aGk=", "words-only-in-it"])
@pytest.mark.parametrize("scheme", ["Basic", "Bearer", "bearer", "BASIC"])
@pytest.mark.parametrize(
    "shown",
    [
        "headers = {{'Authorization': '{}'}}",
        "[(b'authorization', b'{}')]",
        "authorization: {}\r\n",
        "AUTHORIZATION={}",
        '{{"Authorization": "{}"}}',
        '{{\\"authorization\\":\\"{}\\"}}',
    ],
)
def test_masks_the_value_of_an_authorization(secret: str, scheme: str, shown: str) -> None:
    """After the name of the header, whatever the credential is; what is around it stays."""
    masked = f"***-{secret[-4:]}" if len(secret) >= 12 else "***"
    found = redact_credentials(shown.format(f"{scheme} {secret}"))
    assert found == shown.format(f"{scheme} {masked}")
    assert redact_credentials(found) == found


@pytest.mark.parametrize("secret", [CODED, CANARY, "abcdefghijkLmnop", "abcdefghijklm=="])
def test_masks_a_credential_without_its_header(secret: str) -> None:
    """A local, or an argument in a traceback."""
    assert redact_credentials(f"value = 'Bearer {secret}'") == f"value = 'Bearer ***-{secret[-4:]}'"
    lines = f"{{'a': 'Bearer '\nE             '{secret}'}}"
    assert redact_credentials(lines) == lines.replace(secret, f"***-{secret[-4:]}")
    assert CANARY not in preview(json.dumps({"a": f"Bearer {CANARY}"}).encode())


@pytest.mark.parametrize(
    "text",
    [
        "the Authorization header is not 'Bearer <token>'",
        "Basic authentication is not supported, Bearer authentication is",
        "basic understanding of 5 rules",
        'www-authenticate: Bearer realm="turris", error="invalid_token"',
        "'tokenType': 'Bearer', 'expiresIn': 3600",
        "Authorization: Bearer ***-abcd",
        base64.b64encode(b"something else that is long enough").decode(),
    ],
)
def test_leaves_sentences_alone(text: str) -> None:
    """What only speaks of a scheme stays as it is."""
    assert redact_credentials(text) == text
