"""The leak watch sees each channel, in each encoding, and says where it is blind."""

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from functools import partial
from urllib.parse import quote, quote_plus

import pytest
from audit.conftest import AUDITED, AuditedProject, marked
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.audit.checklist import CHECKLIST
from pytest_turris.audit.leaks.checks import LEAKS
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.core.text.spellings import spellings

_SECRET = "turris_sandbox_secret_3f9a1c0d7e5b2a4866aa01"


def test_each_channel_is_watched(audited: AuditedProject) -> None:
    """Each application that leaks is caught at its line; what has no line, at its test's."""
    audited.copy("leaking", "test_leaking_apps.txt")
    report = audited.run()
    assert [one for one in report["channels"] if not one["sees"]] == []
    found = {(one["check"], one["path"], one["line"]) for one in report["results"]}
    expected = {mark for file in (AUDITED / "leaking").glob("*.py") for mark in marked(file)}
    placeless = {(check, path) for check, path, _ in found - expected}
    assert expected <= found
    # A dataclass' repr has no line of its own, the output of a child process neither.
    assert placeless == {("LK-05", "test_leaking_apps.py"), ("LK-09", "test_leaking_apps.py")}


def test_what_is_sent_elsewhere_is_seen_where_the_sandbox_answers_in_process(
    audited: AuditedProject,
) -> None:
    """A request without a socket has no port, as a mocked one and a first datagram have none."""
    audited.copy("leaking", "test_leaking_apps.txt")
    audited.pytester.makeconftest(
        """
        import httpx
        import pytest

        @pytest.fixture(autouse=True)
        def asked(turris):
            httpx.get(f"{turris.base_url}/v1/agents")
        """
    )
    report = audited.run("-k", "sends")
    found = {(one["path"], one["line"]) for one in report["results"] if one["check"] == "LK-08"}
    file = AUDITED / "leaking" / "sends_otherwise.py"
    assert {(path, line) for _, path, line in marked(file)} <= found


def test_what_the_sandbox_gets_on_an_encrypted_socket_is_sent_to_no_other_host(
    audited: AuditedProject,
) -> None:
    """An asynchronous client encrypts in memory, where only the host is known."""
    audited.pytester.makepyfile(
        app="""
        import httpx

        async def ask(server):
            async with httpx.AsyncClient(verify=server.client_context()) as client:
                credentials = server.sandbox.client
                names = {
                    "clientId": credentials.client_id,
                    "clientSecret": str(credentials.client_secret),
                }
                answer = await client.post(f"{server.base_url}/v1/auth/jwt", json=names)
                assert answer.status_code == 201
        """,
        test_it="""
        import asyncio

        import app
        import pytest

        @pytest.mark.turris(tls=True)
        def test_it(turris_server): asyncio.run(app.ask(turris_server))
        """,
    )
    audited.pytester.syspathinsert()
    report = audited.run()
    assert audited.result is not None
    audited.result.assert_outcomes(passed=1)
    assert "LK-08" not in {one["check"] for one in report["results"]}


def test_the_careful_counterparts_leak_nothing(audited: AuditedProject) -> None:
    """The same suite, with what ``explain`` shows as the right examples."""
    audited.copy("careful", "test_leaking_apps.txt")
    suite = audited.path / "test_leaking_apps.py"
    suite.write_text(suite.read_text().replace('(tmp_path / "token.json").chmod(0o644)', ""))
    report = audited.run()
    assert {one["check"] for one in report["results"]} - {"RQ-16"} == set()
    assert {check.id for check in LEAKS} <= {one["check"] for one in report["checks"]}


def test_without_capture_the_output_is_not_seen(audited: AuditedProject) -> None:
    """A blind channel is told, and proves nothing."""
    audited.pytester.makepyfile("def test_prints(turris): print('all is well')")
    report = audited.run("-s")
    blind = {one["check"]: one["reason"] for one in report["channels"] if not one["sees"]}
    assert set(blind) == {"LK-02", "LK-09"}
    assert "-s" in blind["LK-02"]
    assert "LK-02" not in {one["check"] for one in report["checks"]}
    assert audited.result is not None
    audited.result.stdout.fnmatch_lines(["*LK-02 was blind*"])


def test_python_streams_alone_leave_child_processes_unseen(audited: AuditedProject) -> None:
    """With --capture=sys pytest sees what Python prints only, and the audit says so."""
    audited.pytester.makepyfile("def test_prints(turris): print('all is well')")
    report = audited.run("--capture=sys")
    blind = {one["check"] for one in report["channels"] if not one["sees"]}
    assert blind == {"LK-09"}


@pytest.mark.parametrize("form", spellings(_SECRET))
def test_each_spelling_is_found_and_taken_out(form: str) -> None:
    """In the middle of other text."""
    forms = SecretForms([(_SECRET, "a client secret")])
    assert forms.find(f"before{form}after") == "a client secret"
    assert form not in forms.scrub(f"before{form}after")


_DATA = _SECRET.encode()
ENCODINGS = {
    "raw": _SECRET,
    "percent-encoded": "".join(f"%{byte:02x}" for byte in _DATA),
    "percent-encoded, upper case": "".join(f"%{byte:02X}" for byte in _DATA),
    **{f"base64, alignment {n}": b64encode(b"abc"[:n] + _DATA).decode() for n in range(3)},
    **{
        f"base64url, alignment {n}": urlsafe_b64encode(b"abc"[:n] + _DATA).decode()
        for n in range(3)
    },
    "base64 without padding": b64encode(_DATA).decode().rstrip("="),
    "hex": _DATA.hex(),
    "hex, upper case": _DATA.hex().upper(),
    "JSON": json.dumps({"secret": _SECRET}),
    "JSON, each character escaped": "".join(f"\\u{byte:04x}" for byte in _DATA),
    "JSON, escaped in upper case": "".join(f"\\u{byte:04X}" for byte in _DATA),
    "reversed": _SECRET[::-1],
}
"""Each encoding in which secrets were seen to leak, by code of its own."""


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_encoding_is_known(name: str) -> None:
    """Inside of other text."""
    assert SecretForms([(_SECRET, "a client secret")]).find(f"zz{ENCODINGS[name]}zz")


def test_a_percent_encoded_secret_is_found() -> None:
    """One with characters that a URL cannot have."""
    forms = SecretForms([("a+b/c=d&e f%g_hijk", "a client secret")])
    for encode in (quote, quote_plus, partial(quote, safe="")):
        assert forms.find(encode("a+b/c=d&e f%g_hijk")), encode


@given(st.text(min_size=12, max_size=40))
def test_each_character_may_be_encoded(secret: str) -> None:
    """Also one outside ASCII, in JSON's escapes as a pair if it is beyond the basic plane."""
    percents = "".join(f"%{byte:02x}" for byte in secret.encode())
    code_units = memoryview(secret.encode("utf-16-le")).cast("H")
    escapes = "".join(f"\\u{unit:04X}" for unit in code_units)
    assert json.loads(f'"{escapes}"') == secret
    assert {percents, percents.upper(), escapes}.issubset(spellings(secret))


def test_a_hash_is_no_leak() -> None:
    """A digest tells which secret it is, and opens nothing; pieces are the matter of TC-63."""
    forms = SecretForms([(_SECRET, "a client secret")])
    assert not forms.find(hashlib.sha256(_DATA).hexdigest())
    assert not forms.find(_SECRET[-8:])
    assert "TC-63" in CHECKLIST["SEC-05"].checks


@given(before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_a_secret_inside_base64_is_found(before: bytes, after: bytes) -> None:
    """Whatever stands before and after it."""
    forms = SecretForms([(_SECRET, "a client secret")])
    for encode in (b64encode, urlsafe_b64encode):
        assert forms.find(encode(before + _SECRET.encode() + after).decode())


@given(st.text(alphabet="abcdef0123456789_- \n", max_size=200))
def test_other_text_is_no_secret(text: str) -> None:
    """Nothing is found where nothing is."""
    assert SecretForms([(_SECRET, "a client secret")]).find(text) == ""


def test_each_channel_has_a_leaking_application() -> None:
    """A channel that no application leaks through is not tested."""
    source = "".join(file.read_text() for file in (AUDITED / "leaking").glob("*.py"))
    unmarked = {"LK-05", "LK-09"}
    assert all(check.id in source for check in LEAKS if check.id not in unmarked)
