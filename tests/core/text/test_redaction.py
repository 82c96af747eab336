"""Secrets are masked in reprs, headers, URLs and bodies of any form."""

import copy
import json
import pickle

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_turris.core.text import redaction, secret_names
from pytest_turris.core.text.redaction import (
    Secret,
    mask,
    preview,
    redact,
    redact_headers,
    redact_target,
)

CANARY = "canary-0123456789-wxyz"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("", "***"),
        ("abc", "***"),
        ("1234567", "***"),
        ("123456789012", "***-9012"),
        ("12345678901", "***"),
        ("x" * 40, "***-xxxx"),
    ],
)
def test_masks_all_but_four_characters(secret: str, shown: str) -> None:
    """The vendor's own form; nothing of a short secret is shown."""
    assert mask(secret) == shown


def test_a_secret_is_a_text_that_hides_in_reprs() -> None:
    """It equals its text and prints as it; only its repr is masked."""
    secret = Secret(CANARY)
    assert secret == CANARY
    assert f"Bearer {secret}" == f"Bearer {CANARY}"
    assert repr(secret) == "Secret('***-wxyz')"
    assert repr([secret]) == "[Secret('***-wxyz')]"
    assert json.dumps(secret) == f'"{CANARY}"'


def test_a_copy_of_a_secret_is_one() -> None:
    """Copying and pickling keep the mask."""
    secret = Secret(CANARY)
    for again in (copy.deepcopy(secret), pickle.loads(pickle.dumps(secret))):  # noqa: S301 - our own
        assert (type(again), again) == (Secret, CANARY)


@pytest.mark.parametrize(
    "name",
    [
        "clientSecret", "client_secret", "ClientSecret", "accessToken", "access_token",
        "refreshToken", "token", "x-restricted-access-token", "secret", "password", "apiKey",
        "api_key", "api-key", "authorization", "jwt", "url", "signInUrl",
    ],
)  # fmt: skip
@pytest.mark.parametrize("space", ["", " ", "\n\t"])
def test_masks_members_that_hold_secrets(name: str, space: str) -> None:
    """JSON members with the names of secrets, in any style and layout."""
    text = f'{{"a":1,"{name}"{space}:{space}"{CANARY}","z":2}}'
    shown = redact(text)
    assert CANARY not in shown
    assert json.loads(shown) == {"a": 1, name: "***-wxyz", "z": 2}


@pytest.mark.parametrize("name", ["clientId", "tokenType", "npn", "email", "baseUrl", "secretary"])
def test_leaves_other_members_alone(name: str) -> None:
    """Other members stay readable."""
    text = f'{{"{name}":"value-of-it"}}'
    assert redact(text) == text


@pytest.mark.parametrize(
    "document",
    [
        f'{{"clientSecret":["{CANARY}"]}}',
        f'{{"clientSecret":{{"value":"{CANARY}"}}}}',
        f'{{"clientSecret":"{CANARY}',
        f'{{"clientSecret":"{CANARY}\\',
        f'{{"clientSecret":"\\"{CANARY}"}}',
        f'{{"client\\u0053ecret":"{CANARY}"}}',
        f'{{"client\\u005fsecret":"{CANARY}"}}',
        f'{{"clientSecret":{CANARY}}}',
        f'[{{"token":"a"}},{{"token":"{CANARY}"}}]',
    ],
)
def test_masks_secrets_in_odd_documents(document: str) -> None:
    """Of the wrong type, cut off, escaped or invalid: the whole value never shows."""
    assert CANARY not in redact(document)


def test_masks_numbers_that_should_be_secrets() -> None:
    """A secret without quotes is masked too."""
    assert redact('{"clientSecret": 123456789012, "a": 1}') == '{"clientSecret": "***", "a": 1}'


@pytest.mark.parametrize("text", [JWT, JWT.rpartition(".")[0], JWT.partition(".")[0]])
def test_masks_jwts_anywhere(text: str) -> None:
    """Whole or cut, a JWT in running text is masked."""
    assert redact(f"see {text} here") == f"see {mask(text)} here"


@pytest.mark.parametrize("kind", ["secret", "token", "webhook"])
def test_masks_its_own_fakes_anywhere(kind: str) -> None:
    """A sandbox secret in running text is masked, a client id is not."""
    fake = f"turris_sandbox_{kind}_0123456789abcdef"
    assert redact(f"see {fake} here") == "see ***-cdef here"
    assert redact("turris_sandbox_client_0123") == "turris_sandbox_client_0123"


@pytest.mark.parametrize(
    "name",
    [
        "token", "access_token", "clientSecret", "jwt", "bearer", "Authorization", "api_key",
        "password", "email", "fein", "x-restricted-access-token", "key", "sig", "code", "ssn",
        "pwd", "client%53ecret", "%74oken", "X-Turris-Signature", "private_key",
    ],
)  # fmt: skip
def test_masks_parameters_of_a_query(name: str) -> None:
    """Secret and personal parameters, first or later, in any case."""
    assert redact_target(f"/v1/x?{name}={CANARY}") == f"/v1/x?{name}=***-wxyz"
    assert redact_target(f"/v1/x?a=1&{name.upper()}={CANARY}&b=2") == (
        f"/v1/x?a=1&{name.upper()}=***-wxyz&b=2"
    )


@pytest.mark.parametrize("name", ["clientSecret", "access_token", "private_key", "passwd"])
@pytest.mark.parametrize(
    "form",
    [
        "a: 1\n{name}: {value}\nb: 2",  # YAML
        "export {name}={value}\n",
        "<a><{name}>{value}</{name}></a>",
        '<a {name}="{value}"/>',
        "{{'{name}': '{value}'}}",
        '{{"{name}":"{value}"}}',
        '--frontier\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n',
        '--f\r\ncontent-disposition: form-data; name="{name}"\r\nx: y\r\n\r\n{value}\r\n--f--',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_masks_named_values_of_any_body(name: str, form: str, encoding: str) -> None:
    """What a client sends in another form than Turris' is masked as well, by its name."""
    shown = preview(form.format(name=name, value=CANARY).encode(encoding))
    assert CANARY[:-4] not in shown.replace("\0", "")
    assert "***" in shown


def test_masks_a_credential_in_a_path() -> None:
    """A segment that looks like one is masked; an id is not, as it says what was asked for."""
    assert redact_target("/v1/agents/pasted-secret-0123456789?a=1") == "/v1/agents/***-6789?a=1"
    for known in (
        "/v1/agents/c4dbc2b67342c346913a9491",
        "/v1/downstream-entity-associations/45447a27c5c81e612995326d/agents",
        "/v1/x/550e8400-e29b-41d4-a716-446655440000",
    ):
        assert redact_target(known) == known


def test_masks_a_password_in_a_url() -> None:
    """Whatever is before the host; a path with an at sign has none."""
    assert redact_target("http://me:pass@app:3000/w?a=1") == "http://***@app:3000/w?a=1"
    assert redact_target("http://app:3000/me@home") == "http://app:3000/me@home"


def test_leaves_other_parameters_alone() -> None:
    """Filters stay readable."""
    target = "/v1/agents?npn=12345678&stateCode=CA&emailDomain=example.com"
    assert redact_target(target) == target


def test_masks_headers_with_credentials() -> None:
    """A known scheme stays, its credential is masked; other headers stay as they are."""
    fields = (
        ("authorization", f"Bearer {JWT}"),
        ("proxy-authorization", f"Basic {CANARY}"),
        ("x-restricted-access-token", CANARY),
        ("x-api-key", CANARY),
        ("x-auth", CANARY),
        ("x-turris-signature", CANARY),
        ("cookie", f"session={CANARY}; theme=dark"),
        ("idempotency-key", "550e8400-e29b-41d4-a716-446655440000"),
        ("x-other", f"see {JWT}"),
    )
    assert redact_headers(fields) == {
        "authorization": "Bearer ***-dXJl",
        "proxy-authorization": "Basic ***-wxyz",
        "x-restricted-access-token": "***-wxyz",
        "x-api-key": "***-wxyz",
        "x-auth": "***-wxyz",
        "x-turris-signature": "***-wxyz",
        "cookie": "***-dark",
        "idempotency-key": "550e8400-e29b-41d4-a716-446655440000",
        "x-other": "see ***-dXJl",
    }


@pytest.mark.parametrize("value", [CANARY, f"{CANARY} x", f"Bearer {CANARY}", f"Bearer  {CANARY}"])
def test_masks_a_malformed_authorization(value: str) -> None:
    """A token in place of the scheme is masked."""
    assert CANARY not in redact_headers((("Authorization", value),))["authorization"]


def test_a_preview_is_cut() -> None:
    """The first 2 KiB of a long body are shown, and its length."""
    assert preview(b"x" * 2_048) == "x" * 2_048
    assert preview(b"x" * 5_000) == "x" * 2_048 + "... (5,000 bytes)"


def test_a_preview_masks_what_the_cut_goes_through() -> None:
    """A secret that the cut ends is masked too."""
    body = b'{"x":"' + b"x" * 1_980 + b'","clientSecret":"' + CANARY.encode() * 20
    assert "canary" not in preview(body)


def test_a_preview_masks_forms() -> None:
    """A form-encoded body is redacted like a query."""
    body = f"grant_type=client_credentials&client_secret={CANARY}&a=1".encode()
    assert preview(body) == "grant_type=client_credentials&client_secret=***-wxyz&a=1"
    assert preview(f"client_secret={CANARY}".encode()) == "client_secret=***-wxyz"


def test_a_preview_is_text_whatever_the_bytes() -> None:
    """Bytes that are not UTF-8 are shown as such."""
    assert preview(b"\xff\x00") == "\N{REPLACEMENT CHARACTER}\x00"


WORDS = st.sampled_from(
    [
        *(
            *(
                "token",
                "secret",
                "passphrase",
                "apiKey",
                "private_key",
                "jwt",
                "credentials",
                "url",
            ),
            *secret_names.ROOTS,
            "signInUrl",
            "ACCESS_TOKEN",
            "pa\u017f\u017fword",
            "\u0130",
            "api",
            "é",
        ),
        *(
            '"',
            '":',
            '" : ',
            "'",
            ": ",
            "=",
            "\\",
            '\\"',
            "[1, 2]",
            "{",
            "}",
            ", ",
            "\n",
            "\r\n\r\n",
        ),
        *(">", "<", "&", " ", "***-abcd", CANARY),
    ]
)


@settings(max_examples=100)
@given(st.lists(WORDS, max_size=14).map("".join))
def test_what_is_fast_finds_what_the_expressions_find(text: str) -> None:
    """Whatever is around the names."""
    members = secret_names.SECRET_MEMBER.sub(redaction._masked_member, text)
    assert redaction._redact_members(text) == members  # no ``key`` has a long value here


def test_the_quick_look_knows_each_name() -> None:
    """A name without one of these parts would be shown with its value."""
    for name in (*secret_names._PLAIN, *secret_names._WHOLE.lower().split("|"), "key"):
        assert any(root in name for root in secret_names.ROOTS), name


_WORDS = st.sampled_from(
    ["toKen", "\u017fecret", "apiKey", "pa\u017fsword", "npn", "url", "eyJhbGciOiJSUzI1", "x"]
)
_TEXTS = st.one_of(_WORDS, st.text(max_size=30), st.just(f"turris_sandbox_control_{CANARY}"))
_JSON = st.recursive(
    st.one_of(_TEXTS, st.integers(), st.none()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(_TEXTS, _JSON, max_size=4), is_ascii=st.booleans())
def test_the_quick_look_at_json_misses_nothing(value: object, is_ascii: bool) -> None:
    """A body that is shown as it is would come out the same if each expression were tried on it."""
    text = json.dumps(value, ensure_ascii=is_ascii)
    body = text.encode()
    assume(len(body) <= redaction.SHOWN)
    assert preview(body) == redaction._redacted_body(text)
