"""What is signed, how the signature is written, and which keys sign."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest
from doubles.signatures import (
    BODY,
    HEADER,
    KEY,
    NOW,
    PLAIN,
    SCHEMES,
    STAMPED,
    refusal,
)
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.core.text.redaction import mask
from pytest_turris.webhooks.signature import SignatureError, SignatureScheme, compact_json


@pytest.mark.parametrize(
    ("key", "message", "digest"),
    [
        (
            "It's a Secret to Everybody",
            b"Hello, World!",
            "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ),
        (
            "Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        ("", b"", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
    ],
)
def test_published_vectors(key: str, message: bytes, digest: str) -> None:
    """The default signature is the published HMAC-SHA256 in lower-case hex."""
    assert PLAIN.sign(message, key, at=NOW) == digest


def test_base64_with_prefix() -> None:
    """In base64 the padded digest follows the prefix."""
    digest = hmac.digest(KEY.encode(), BODY, hashlib.sha256)
    value = SignatureScheme(encoding="base64", prefix="sha256=").sign(BODY, KEY, at=NOW)
    assert value == "sha256=" + base64.b64encode(digest).decode()


def test_timestamp_is_signed() -> None:
    """A timestamped value names the second, and signs it with a dot before the body."""
    digest = hmac.new(KEY.encode(), b"1742206545." + BODY, hashlib.sha256).hexdigest()
    assert STAMPED.sign(BODY, KEY, at=NOW) == f"t=1742206545,v1={digest}"


def test_payload_signature_leaves_the_envelope_open() -> None:
    """A payload signature covers the payload's compact JSON, so the rest may change."""
    scheme = SignatureScheme(signs="payload")
    value = scheme.sign(BODY, KEY, at=NOW)
    assert value == PLAIN.sign('{"b":1,"a":"é"}'.encode(), KEY, at=NOW)
    scheme.verify(BODY.replace(b'"X"', b'"Y"'), {HEADER: value}, KEY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"payload"',
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"payload":"\\ud800"}',
        b'{"payload":NaN}',
        b'{"payload":' + b"9" * 5000 + b"}",
        '{"payload":1}'.encode("utf-16"),
    ],
    ids=range(11),
)
def test_payload_signature_needs_a_payload(body: bytes) -> None:
    """A body without a payload that JSON can write is refused, by signer and verifier alike."""
    scheme = SignatureScheme(signs="payload")
    with pytest.raises(SignatureError, match="payload"):
        scheme.sign(body, KEY, at=NOW)
    with pytest.raises(SignatureError, match="payload"):
        scheme.verify(body, {HEADER: "0" * 64}, KEY)


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@given(body=st.binary(), key=st.text(st.characters(codec="utf-8")).filter(str.strip))
def test_any_body_round_trips(scheme: SignatureScheme, body: bytes, key: str) -> None:
    """What a scheme signs with a key it verifies with that key."""
    scheme.verify(body, {scheme.header: scheme.sign(body, key, at=NOW)}, key, now=NOW)


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED], ids=["plain", "stamped"])
def test_key_in_base64(scheme: SignatureScheme) -> None:
    """A key in base64 signs with its decoded bytes, and only a whole one verifies."""
    scheme, raw = replace(scheme, key_form="base64"), bytes(range(200, 232))
    key = base64.b64encode(raw).decode()
    value = scheme.sign(BODY, key, at=NOW)
    assert value == replace(scheme, key_form="text").sign(BODY, raw, at=NOW)
    scheme.verify(BODY, {HEADER: value}, key, now=NOW)
    assert refusal(scheme, {HEADER: value}, key=key[:-1]).startswith("the key is not base64")
    assert key[8:] not in refusal(replace(scheme, key_form="text"), {HEADER: value}, key=key)


def test_text_that_is_not_base64_signs_as_it_is() -> None:
    """Forgeries are made with any text."""
    scheme = replace(PLAIN, key_form="base64")
    assert scheme.sign(BODY, "abcde", at=NOW) == PLAIN.sign(BODY, "abcde", at=NOW)


@pytest.mark.parametrize("option", [{"encoding": "base32"}, {"signs": "url"}])
def test_unknown_options_are_refused(option: dict[str, str]) -> None:
    """A scheme read from settings says which value it does not know."""
    with pytest.raises(ValueError, match="must be"):
        SignatureScheme(**option)  # type: ignore[arg-type]  # the point of the test


def test_key_form_is_one_of_three() -> None:
    """A mistake in the key's form is an error at once."""
    with pytest.raises(ValueError, match="key_form must be 'text', 'base64' or 'hex'"):
        SignatureScheme(key_form="base32")  # type: ignore[arg-type]  # the mistake


def test_key_in_hex() -> None:
    """It signs with its decoded bytes, after its prefix; other text verifies nothing."""
    scheme = SignatureScheme(key_form="hex", key_prefix="whsec_")
    value = scheme.sign(BODY, "whsec_ab12", at=NOW)
    assert value == PLAIN.sign(BODY, b"\xab\x12", at=NOW)
    scheme.verify(BODY, {HEADER: value}, "whsec_ab12")
    assert refusal(scheme, {HEADER: value}, key="ab1").startswith("the key is not hex")


def test_masks() -> None:
    """A long secret shows its last four characters, a short one nothing."""
    assert mask(KEY) == "***-cdef"
    assert mask("secret") == "***"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
        ),
    )
)
def test_compact_json_reads_back(value: object) -> None:
    """Compact JSON holds the value, in UTF-8."""
    assert json.loads(compact_json(value).decode()) == value
