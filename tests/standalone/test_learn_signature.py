"""``turris-sandbox learn-signature``."""

from pathlib import Path

import pytest
from doubles.command_line import KEY, run

from pytest_turris.webhooks.signature import SignatureScheme

BODY = b'{"webhookType": "X", "payload": [{"legalName": "M\xc3\xbcller"}]}'
SCHEME = SignatureScheme(encoding="base64", prefix="sha256=")
VALUE = SCHEME.signature_of(BODY, KEY)


@pytest.fixture
def body(tmp_path: Path) -> str:
    """A file with the body."""
    file = tmp_path / "body.json"
    file.write_bytes(BODY)
    return str(file)


def test_learns_from_header_and_body(body: str) -> None:
    """The options can be pasted; the secret is not shown."""
    done = run("learn-signature", "--header", f"X-Turris-Signature: {VALUE}", "--body", body)
    assert done.exit_code == 0
    assert "turris_signature_encoding = base64\nturris_signature_prefix = sha256=\n" in done.output
    assert "-o signature_encoding=base64 -o signature_prefix=sha256=" in done.output
    assert "With the secret in TURRIS_WEBHOOK_SECRET:" in done.output
    assert KEY not in done.output


def test_learns_from_saved_requests(tmp_path: Path) -> None:
    """Two deliveries in files, and two secrets, of which the second is right."""
    files = []
    for number, text in enumerate((BODY, BODY + b"\n")):
        file = tmp_path / f"{number}.http"
        file.write_bytes(
            f"X-Turris-Signature: {SCHEME.signature_of(text, KEY)}\r\n\r\n".encode() + text
        )
        files += ["--delivery", str(file)]
    secrets = ("--secret-env", "OTHER", "--secret-env", "TURRIS_WEBHOOK_SECRET")
    done = run("learn-signature", *files, *secrets, OTHER="another secret")
    assert done.exit_code == 0
    assert "1 scheme fits 2 deliveries" in done.output
    assert "OTHER" not in done.output


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
@pytest.mark.parametrize("text", [BODY, b'{"a":1}', b"no JSON"])
def test_a_line_break_that_an_editor_added_is_left_out(
    tmp_path: Path, text: bytes, line_break: bytes
) -> None:
    """The scheme is learned without it, and the report says that the file has it."""
    file = tmp_path / "first.http"
    signature = SignatureScheme().signature_of(text, KEY)
    file.write_bytes(f"X-Turris-Signature: {signature}\r\n\r\n".encode() + text + line_break)
    done = run("learn-signature", "--delivery", str(file))
    assert done.exit_code == 0
    assert "These are the defaults: no option has to be set." in done.output
    assert "Note: the body ends with a line break that was not signed" in done.output


def test_a_line_break_that_was_signed_is_kept(tmp_path: Path) -> None:
    """A delivery that has one and one that an editor changed are of one scheme."""
    files = []
    for number, (text, added) in enumerate(((BODY + b"\n", b""), (BODY, b"\n"))):
        signature = SignatureScheme().signature_of(text, KEY)
        file = tmp_path / f"{number}.http"
        file.write_bytes(f"X-Turris-Signature: {signature}\r\n\r\n".encode() + text + added)
        files += ["--delivery", str(file)]
    done = run("learn-signature", *files)
    assert "1 scheme fits 2 deliveries" in done.output
    assert "Note: the body of 1 of them ends with a line break that was not signed" in done.output


def test_a_wrong_secret_fits_nothing(body: str) -> None:
    """The exit status says so, and the report what was tried."""
    header = ("--header", f"X-Turris-Signature: {VALUE}", "--body", body)
    done = run("learn-signature", *header, TURRIS_WEBHOOK_SECRET="another secret")
    assert done.exit_code == 1
    assert "None fits" in done.output
    assert "another secret" not in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give --header and --body, or --delivery FILE"),
        (("--header", "A: b"), "give both"),
        (("--header", "A B: b", "--body", "BODY"), "a header line is NAME: VALUE"),
        (("--header", "A: b", "--body", "none.json"), "No such file"),
        (("--delivery", "BODY"), "no empty line"),
        (("--header", "A: b", "--body", "BODY", "--secret-env", "NONE"), "set NONE"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], message: str, body: str) -> None:
    """Each exits with 2."""
    given = [body if one == "BODY" else one for one in arguments]
    done = run("learn-signature", *given)
    assert done.exit_code == 2
    assert message in done.output
