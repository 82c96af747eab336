"""Secrets that a client sends in other forms than Turris's are masked in bodies."""

import json
from typing import Any

import pytest

from pytest_turris.core.text.redaction import preview, redact_headers, redact_target

CANARY = "canary-0123456789-wxyz"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["clientSecret", "access_token", "url"])
@pytest.mark.parametrize("indent", [None, 2])
def test_masks_secrets_in_json_in_a_string_of_json(
    depth: int, name: str, indent: int | None
) -> None:
    """However often it is encoded: it stays JSON, and shows what is around the secret."""
    document: object = {"a": 'x"y', name: f'q"{CANARY}', "z": [1]}
    for _ in range(depth):
        document = {"body": json.dumps(document, indent=indent)}
    shown: Any = json.loads(preview(json.dumps(document).encode()))
    for _ in range(depth):
        shown = json.loads(shown["body"])
    assert shown == {"a": 'x"y', name: "***-wxyz", "z": [1]}


@pytest.mark.parametrize("value", [f'["{CANARY}"]', f'{{"v":"{CANARY}"}}', f'"{CANARY}'])
def test_masks_odd_secrets_in_a_string_of_json(value: str) -> None:
    """Of the wrong type, cut off, or with quotes as numbers: the whole value never shows."""
    text = json.dumps('{"client\\u0053ecret": ' + value)
    assert CANARY not in preview(text.encode())
    assert CANARY not in preview(text[:-1].encode())
    assert CANARY not in preview(text.replace('\\"', "\\u0022").encode())


DISPOSITION = "--B\r\nContent-Disposition: form-data; "


@pytest.mark.parametrize(
    "name",
    [
        'name="clientSecret"', "name=clientSecret", "name='clientSecret'",
        "name*=utf-8''clientSecret", "name*=utf-8''client%53ecret", 'name="a[token]"',
        'name="file"; filename="secret.txt"', 'name="password"\r\nContent-Type: text/plain',
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "a ", 'a"', "a'", "\r\n", "a<b&c "])
@pytest.mark.parametrize("line", ["\r\n", "\n"])
def test_masks_the_whole_part_of_a_form(name: str, before: str, line: str) -> None:
    """However its name is written, and whatever is in the value; the next part stays."""
    part = f'{DISPOSITION}{name}\r\n\r\n{before}{CANARY}\r\n{DISPOSITION}name="npn"\r\n\r\n123\r\n'
    shown = preview(part.replace("\r\n", line).encode())
    assert CANARY[:-4] not in shown
    assert "***-wxyz" in shown
    assert f"{line}{line}123{line}" in shown


@pytest.mark.parametrize(
    "text",
    [
        "clientSecret: |\n  {}\nz: 1\n",
        "clientSecret: >-\n  {}\nz: 1\n",
        "a:\n  clientSecret:\n    - x\n    - {}\n  z: 1\n",
        "clientSecret:\n- {}\nz: 1\n",
        "clientSecret:\n  {}\nz: 1\n",
        "clientSecret: x\n\n  {}\nz: 1\n",
        "clientSecret: a {}\nz: 1\n",
        "clientSecret: !!str {}\nz: 1\n",
        "clientSecret: &a {}\nz: 1\n",
        "? clientSecret\n: {}\nz: 1\n",
        "'clientSecret' : 'it''s {}'\nz: 1\n",
        "Authorization: Custom a {}\nz: 1\n",
        "<a><clientSecret><![CDATA[{}]]></clientSecret> z: 1</a>",
        "<clientSecret><v>x</v><v>{}</v></clientSecret> z: 1",
        "<clientSecret><!-- x -->{}</clientSecret> z: 1",
        '<clientSecret a="b">x {}</clientSecret> z: 1',
        '<a name="clientSecret" value="x {}"/> z: 1',
        '<entry key="clientSecret">{}</entry> z: 1',
        "<key>clientSecret</key><string>{}</string> z: 1",
        "clientSecret[]={}&z: 1",
        "a[token]={}&z: 1",
        "a[token][0]={}&z: 1",
        "a=b;token={}&z: 1",
        'client_secret = "x {}" # z: 1',
        "{{'clientSecret': 'x {}'}} z: 1",
        "json=%7B%22token%22%3A%22{}%22%7D&z: 1",
    ],
)
def test_masks_a_secret_in_other_notations(text: str) -> None:
    """Forms with brackets, YAML on the next lines, XML; what follows the value stays."""
    shown = preview(text.format(CANARY).encode())
    assert CANARY[:-4] not in shown
    assert "***" in shown
    assert "z: 1" in shown


@pytest.mark.parametrize(
    "name",
    [
        "secretKey", "secret_key", "tokens", "token2", "signingKey", "pass", "passcode", "auth",
        "bearer", "assertion", "cookie", "accessKey", "client secret", "client.secret", "key",
    ],
)  # fmt: skip
@pytest.mark.parametrize("depth", [0, 1])
def test_masks_members_with_more_names(name: str, depth: int) -> None:
    """So they are in JSON, and in JSON in a string."""
    text = json.dumps({name: CANARY, "z": 1})
    shown = preview((json.dumps({"a": text}) if depth else text).encode())
    inner = json.loads(shown)
    assert (json.loads(inner["a"]) if depth else inner) == {name: "***-wxyz", "z": 1}


@pytest.mark.parametrize(
    "member",
    [
        {"key": "email"}, {"key": "c4dbc2b67342c346913a9491"}, {"key": "a key of 2 words, or 3"},
        {"idempotencyKey": CANARY}, {"licenseKey": CANARY}, {"keys": [1]}, {"passed": CANARY},
        {"tokenType": CANARY}, {"author": CANARY}, {"compass": CANARY}, {"key": 12345678901234567},
    ],
)  # fmt: skip
def test_leaves_harmless_keys_alone(member: dict[str, Any]) -> None:
    """A ``key`` is masked only if its value looks like a credential."""
    text = json.dumps(member)
    assert preview(text.encode()) == text


@pytest.mark.parametrize(
    "name",
    [
        "x-jwt", "jwt", "x-jwt-assertion", "authentication", "authentication-info", "x-auth-key",
        "x-functions-key", "ocp-apim-subscription-key", "x-signing-key", "x-key", "x-bearer",
        "x-hmac", "x-session-id", "x-user-pass", "x-hub-sig",
    ],
)  # fmt: skip
def test_masks_headers_with_more_names(name: str) -> None:
    """Credentials of gateways and of other services."""
    assert redact_headers(((name, CANARY),)) == {name: "***-wxyz"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("referer", "https://a.test/x?token={}"),
        ("referer", "https://u:{}@a.test/"),
        ("x-original-url", "/v1/agents?access_token={}"),
        ("x-forwarded-uri", "/x?code={}"),
        ("link", '<https://a.test/?sig={}>; rel="next"'),
        ("x-other", "token={}"),
        ("x-other", "clientSecret: {}"),
    ],
)
def test_masks_a_secret_in_another_header(name: str, value: str) -> None:
    """A URL, or a value with a name before it."""
    shown = redact_headers(((name, value.format(CANARY)),))[name]
    assert CANARY[:-4] not in shown
    assert "***" in shown


def test_leaves_usual_headers_alone() -> None:
    """What says which client it is, and what it sends."""
    fields = (
        ("host", "public.api.sandbox.turrisfi.com"),
        ("user-agent", "agent/1.0 (+https://host-0123456789abcdef.example.com/about)"),
        ("content-type", "multipart/form-data; boundary=0123456789abcdef0123456789abcdef"),
        ("www-authenticate", 'Bearer realm="turris"'),
        ("accept", "application/json"),
    )
    assert redact_headers(fields) == dict(fields)


@pytest.mark.parametrize(
    "query",
    [
        "a[token]={}", "token[]={}", "tokens={}", "token2={}", "secretKey={}", "auth={}",
        "pass={}", "api+key={}", "token%00={}", "id_token_hint={}", "code_verifier={}",
        "x=token%3D{}", "q=%7B%22token%22%3A%22{}%22%7D", "a=tok%65n%3D{}",
        "a=b;token={}", "url=http%3A%2F%2Fu%3A{}%40h%2F", "a=1#token={}",
    ],
)  # fmt: skip
def test_masks_more_parameters_of_a_query(query: str) -> None:
    """With brackets, and in a value that is JSON, a form or a URL itself."""
    shown = redact_target(f"/v1/agents?{query.format(CANARY)}")
    assert CANARY[:-4] not in shown
    assert "***" in shown
