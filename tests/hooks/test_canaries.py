"""No output of a failing run shows a secret of the sandbox, in any encoding."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings
from doubles.scanners import hits

IDS = re.compile(r"[0-9a-f]{24}|[0-9a-f]{32}")
"""Ids of records, as MongoDB makes them, and of findings: the page on security has both."""
HEADER = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"').decode()
"""How each token begins, the same for all."""
CONFTEST = """
    import json, os, pathlib, pytest

    @pytest.fixture(autouse=True)
    def canaries(turris):
        yield
        found = [turris.client.client_secret, *(token.text for token in turris.tokens)]
        found += [token.token for token in turris.credentials.restricted]
        found += [webhook.secret for webhook in turris.outbox.endpoints]
        kept = pathlib.Path(os.environ["CANARIES"])
        before = json.loads(kept.read_text()) if kept.exists() else []
        kept.write_text(json.dumps([*before, *map(str, found)]))
"""
TEST = """
    import logging, warnings, httpx
    URL = "https://public.api.sandbox.turrisfi.com"

    def test_fails(turris, turris_webhooks):
        restricted = turris.credentials.issue_restricted()
        webhook = turris.outbox.register(
            "https://b.invalid/", "PRODUCER_AGREEMENT_EXECUTED", turris.clock.now()
        )
        client = turris.client
        body = {"clientId": client.client_id, "clientSecret": client.client_secret}
        answer = httpx.post(f"{URL}/v1/auth/jwt", json=body)
        token = answer.json()["data"]["accessToken"]
        headers = {"Authorization": f"Bearer {token}"}
        headers["x-restricted-access-token"] = restricted.token
        logging.getLogger("app").warning("sending %s", headers)
        warnings.warn(f"sending {headers} of {client.client_secret}")
        print(headers, body, str(webhook.secret))
        httpx.get(f"{URL}/v1/agents/{token}?token={token}", headers=headers)
        assert [headers, body] == [{}, {}], (restricted, webhook, client, list(turris.tokens))

    def test_passes(turris):
        token = turris.tokens.issue(turris.client).text
        logging.getLogger("app").warning("sending %s", token)
        print(token, str(turris.client.client_secret))
"""
SHORTENED = """
    def test_fails(turris):
        secret, token = str(turris.client.client_secret), turris.tokens.issue(turris.client).text
        found = {"secret": "s" * 150 + secret, "token": "t" * 180 + token, "both": [token, secret]}
        assert found == {}
"""

CHOSEN = "AcmeHookKey-of-the-canaries"
CONTROL = f"ctl-{'0123456789' * 4}-xyz"
OTHER_OUTPUTS = f"""
    import base64, logging, os, pytest, unittest

    def secret():
        logging.getLogger("app").warning("the secret is %s", os.environ["TURRIS_CLIENT_SECRET"])
        return os.environ["TURRIS_CLIENT_SECRET"]

    @pytest.mark.turris(webhook_secret="{CHOSEN}")
    def test_chosen(turris):
        key = os.environ["TURRIS_WEBHOOK_SECRET"]
        print(key, base64.b64encode(key.encode()), key.encode().hex())
        assert key == ""

    def test_token_in_base64(turris):
        token = turris.tokens.issue(turris.client).text
        print(*(base64.b64encode(b"x" * before + token.encode()).decode() for before in range(3)))
        assert [token.encode().hex()] == []

    def test_environment(turris):
        assert dict(os.environ) == {{}}

    def test_subtests(turris, subtests):
        with subtests.test(secret(), of=secret()):
            print(secret())
            raise AssertionError(secret())

    class TestUnit(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def sandbox(self, turris):
            pass

        def test_part(self):
            with self.subTest(of=secret()):
                self.fail(secret())

    def test_xfail(turris):
        pytest.xfail(secret())

    def test_property(turris, record_property):
        record_property("text", secret())
        record_property("dict", {{"secret": secret()}})

    @pytest.fixture
    def broken(turris):
        raise ValueError(secret())

    def test_fixture(broken):
        pass

    def test_zz_exit(turris):
        pytest.exit(secret())
"""


def forms(secret: str) -> Iterator[str]:
    """A secret as it may be written: base64 at each offset, percent, JSON escapes, hex."""
    data = secret.encode()
    yield secret
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # What comes before and after shares a group of four with it.
            text = encode(b"x" * offset + data).decode()
            yield text[4 if offset else 0 : -4]
    yield quote(secret, safe="")
    yield "".join(f"%{byte:02x}" for byte in data)
    yield "".join(f"\\u{ord(char):04x}" for char in secret)
    yield data.hex()


def leaks(text: str, secrets: list[str]) -> list[str]:
    """Which forms of which secrets are in a text."""
    lowered = text.lower()
    return [form for secret in secrets for form in forms(secret) if form.lower() in lowered]


def pieces(secret: str, text: str) -> list[str]:
    """Which 16 characters in a row of a secret are in a text."""
    own = secret.removeprefix("turris_sandbox_secret_")
    parts = [own[at : at + 16] for at in range(len(own) - 16)]
    return [part for part in parts if part in text and part not in HEADER]


@pytest.mark.parametrize("form", range(11))
def test_a_leak_is_found(form: int) -> None:
    """In each form, whatever is around it."""
    secret = "turris_sandbox_secret_0123456789abcdef"
    written = list(forms(secret))
    assert len(written) == 11
    assert leaks(f"zz{written[form]}zz", [secret])
    assert leaks("nothing here", [secret]) == []


def test_a_failing_run_shows_no_secret(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Terminal with all options, JUnit, warnings, captured output, capsule, the audit's reports."""
    kept = tmp_path / "outside" / "canaries.json"
    kept.parent.mkdir()
    monkeypatch.setenv("CANARIES", str(kept))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=TEST)
    result = pytester.runpytest_subprocess(
        *("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "default"),
        *("-vv", "--showlocals", "-rA", "--junitxml=out/junit.xml"),
        *("--turris-capsule=out/capsule", "--turris-audit-report=out/audit"),
    )
    result.assert_outcomes(failed=1, passed=1, warnings=1)
    secrets = json.loads(kept.read_text())
    assert len(secrets) == 6
    files = [path for path in (pytester.path / "out").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".xml", ".json", ".html", ".md", ".sarif"}
    written = {path.name: path.read_text() for path in files}
    written |= {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    found = {name: leaks(text, secrets) for name, text in written.items()}
    assert not any(found.values()), found
    assert "Bearer ***-" in written["stdout"].partition("warnings summary")[2]
    assert {name: hits(text) for name, text in written.items() if hits(text)} == {}
    assert [text for text in reported(written, tmp_path) if not IDS.fullmatch(text)] == []


@pytest.mark.parametrize("workers", [(), ("-n1", "--dist=load")], ids=["alone", "xdist"])
def test_every_output_is_masked(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    workers: tuple[str, ...],
) -> None:
    """Live log and its file, subtests, properties, xfail and exit, Allure and pytest-html.

    What the user chose has no mark by which it is known: a signing key, and a control token that
    is in the environment.
    """
    kept = tmp_path / "canaries.json"
    monkeypatch.setenv("CANARIES", str(kept))
    monkeypatch.setenv("TURRIS_CONTROL_TOKEN", CONTROL)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=OTHER_OUTPUTS)
    result = pytester.runpytest_subprocess(
        *("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider", *workers),
        *("-vv", "--showlocals", "-rA", "--log-cli-level=INFO", "--log-file=out/log.txt"),
        *("--junitxml=out/junit.xml", "--html=out/report.html", "--alluredir=out/allure"),
    )
    written = {path.name: path.read_text() for path in pytester.path.rglob("out/**/*.*")}
    written |= {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    assert "test_property" in written["stdout"]
    assert len(written) > 10
    secrets = [*json.loads(kept.read_text()), CHOSEN, CONTROL]
    assert len(secrets) > 10
    found = {name: leaks(text, secrets) for name, text in written.items()}
    assert not any(found.values()), found
    assert all("***-" in written[name] for name in ("stdout", "junit.xml", "report.html"))
    assert workers or "the secret is ***-" in written["log.txt"]
    assert workers or "Exit: ***-" in written["stdout"]


@pytest.mark.parametrize("options", [(), ("-v",), ("--showlocals",), ("--tb=short", "-l")])
def test_a_secret_that_pytest_shortens_is_masked(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    """Neither its beginning nor its end shows: sixteen letters in a row are too many."""
    kept = tmp_path / "canaries.json"
    monkeypatch.setenv("CANARIES", str(kept))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=SHORTENED)
    plugins = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*plugins, "--junitxml=out.xml", *options)
    result.assert_outcomes(failed=1)
    written = result.stdout.str() + (pytester.path / "out.xml").read_text()
    for secret in json.loads(kept.read_text()):
        assert pieces(secret, written) == []


BROKEN = """
    import textwrap

    def test_fails(turris):
        secret, token = turris.client.client_secret, turris.tokens.issue(turris.client).text
        print(*textwrap.wrap(f"clientSecret: {secret}, accessToken: {token}", 30), sep="\\n")
        print(secret[:25] + "\\x1b[1;31m" + secret[25:])
        assert [secret[:30] + "\\n" + secret[30:]] == []
"""


def test_a_secret_that_is_broken_over_lines_is_masked(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As a console of rich writes it, or with a colour in it: no 16 characters of it show."""
    kept = tmp_path / "canaries.json"
    monkeypatch.setenv("CANARIES", str(kept))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=BROKEN)
    plugins = ("-p", "no:asyncio", "-p", "no:randomly", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*plugins)
    result.assert_outcomes(failed=1)
    for secret in json.loads(kept.read_text()):
        assert pieces(secret, result.stdout.str()) == []


def reported(files: dict[str, str], folder: Path) -> Iterator[str]:
    """What detect-secrets, with its own settings, takes for a secret in files."""
    scanned = SecretsCollection()
    with default_settings():
        for name, text in files.items():
            (folder / name).write_text(text)
            scanned.scan_file(str(folder / name))
    return (secret.secret_value or "" for found in scanned.data.values() for secret in found)


def test_a_scanner_reports_a_token(tmp_path: Path) -> None:
    """In a line of a log, as another one reports an id."""
    text = (
        'Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.x\n"4fb1c76d46ca4c147721b4cf"\n'
    )
    token, record = sorted(reported({"output.txt": text}, tmp_path), key=len, reverse=True)
    assert token.startswith("eyJhbGciOiJSUzI1NiJ9.")
    assert IDS.fullmatch(record)
