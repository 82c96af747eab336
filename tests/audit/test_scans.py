"""Scans of files: credentials in any encoding, public names, source maps, other secrets."""

import base64
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import pytest
from audit.conftest import AuditedProject
from doubles.scanned_examples import SCANNED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.audit.declarations import Allowed
from pytest_turris.audit.scans import files as scanned_files
from pytest_turris.audit.scans import other_secrets
from pytest_turris.audit.scans.scan import ScanResult, scan

SECRET = "acme/live+9f31c07ae5b2d4866aa01x"
"""A real secret, as the environment of a build has it: nothing marks it as one."""

SANDBOX = "turris_sandbox_secret_0123456789abcdef"
MAP = {"version": 3, "sources": ["a.ts"], "sourcesContent": ["const a = 1"], "mappings": ""}


def _scan(path: Path, allowed: Iterable[Allowed] = (), **environment: str) -> ScanResult:
    return scan([path], base=path, allowed=allowed, environment=environment)


def _found(result: ScanResult) -> list[tuple[str, str, int]]:
    return [(one.check, one.place.path, one.place.line) for one in result.evidence.spotted]


ENCODED = {
    "as such": SECRET,
    "in a URL": quote(SECRET, safe=""),
    "in Base64": base64.b64encode(b"Basic id:" + SECRET.encode()).decode(),
    "in Base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in hex": SECRET.encode().hex(),
    "backwards": SECRET[::-1],
    "in escapes": "".join(f"\\u{ord(one):04x}" for one in SECRET),
}


@pytest.mark.parametrize("encoded", ENCODED.values(), ids=ENCODED)
def test_a_credential_of_the_environment_is_found(tmp_path: Path, encoded: str) -> None:
    """At its line, in any encoding; what is found is never shown."""
    (tmp_path / "app.js").write_text(f"// built\nconst a = 1;\nconst b = '{encoded}';\n")
    result = _scan(tmp_path, TURRIS_CLIENT_SECRET=SECRET)
    assert _found(result) == [("FE-01", "app.js", 3)]
    (spotted,) = result.evidence.spotted
    assert spotted.level == "must"
    assert encoded not in str(spotted)
    assert _found(_scan(tmp_path, TURRIS_CLIENT_SECRET="another" * 5)) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (SANDBOX, "a client secret of a sandbox"),
        ("turris_sandbox_client_acme", "a clientId of a sandbox"),
        (SANDBOX.replace("secret", "canary"), "a credential of a sandbox"),
        (base64.b64encode(SANDBOX.encode()).decode(), "a credential of a sandbox, encoded"),
    ],
)
def test_a_credential_of_a_sandbox_is_found_by_its_mark(
    tmp_path: Path, text: str, what: str
) -> None:
    """No environment needs to have it."""
    (tmp_path / "app.js").write_text(text)
    (spotted,) = _scan(tmp_path).evidence.spotted
    assert (spotted.finding.got, spotted.level) == (what, "must")


def test_the_mark_alone_is_no_credential(tmp_path: Path) -> None:
    """Code that recognises credentials has it."""
    (tmp_path / "app.js").write_text("if (id.startsWith('turris_sandbox_client_')) fake()")
    assert _found(_scan(tmp_path)) == []


@pytest.mark.parametrize(
    "name", ["tests/app.js", "app.test.js", "compose.yaml", "README.md", "test_app.py"]
)
def test_a_fixed_credential_in_tests_is_only_noted(tmp_path: Path, name: str) -> None:
    """It opens nothing; one of the environment is a finding there too."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{SANDBOX}\n")
    assert [one.level for one in _scan(tmp_path).evidence.spotted] == ["info"]
    found = _scan(tmp_path, TURRIS_CLIENT_SECRET=SANDBOX).evidence.spotted
    assert [one.level for one in found] == ["must"]


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("VITE_API_SECRET", "should"),
        ("NEXT_PUBLIC_TURRIS_TOKEN", "must"),
        ("REACT_APP_DB_PASSWORD_OLD", "should"),
        ("VITE_TURRIS_CLIENT_ID", "must"),
        ("PUBLIC_SIGNING_PRIVATE_KEY", "should"),
    ],
)
def test_a_secret_with_a_public_name_is_found(tmp_path: Path, name: str, level: str) -> None:
    """Once for each file, at its first line."""
    (tmp_path / ".env").write_text(f"A=1\n{name}=x\n# {name} again\n")
    (spotted,) = _scan(tmp_path).evidence.spotted
    assert (spotted.check, spotted.place.line, spotted.level) == ("FE-02", 2, level)
    assert name in spotted.finding.got


@pytest.mark.parametrize(
    "name",
    [
        "VITE_API_URL", "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY", "API_SECRET", "MY_VITE_API_SECRET",
        "VITE_MAPBOX_TOKEN", "TURRIS_CLIENT_SECRET", "GATSBY_CSRF_TOKEN",
    ],
)  # fmt: skip
def test_other_names_are_not(tmp_path: Path, name: str) -> None:
    """Of the server, or of what is public by its kind."""
    (tmp_path / ".env").write_text(f"{name}=x\n")
    assert _found(_scan(tmp_path)) == []


def _inline(document: object) -> str:
    data = base64.b64encode(json.dumps(document).encode()).decode()
    return f"let a\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{data}\n"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("app.js.map", json.dumps(MAP), 1),
        ("app.js.map", json.dumps({"version": 3, "sections": [{"map": MAP}]}), 1),
        ("app.js", _inline(MAP), 2),
    ],
)
def test_a_source_map_with_sources_is_found(
    tmp_path: Path, name: str, text: str, line: int
) -> None:
    """In a file of its own, in sections, or inside of a script."""
    (tmp_path / name).write_text(text)
    assert _found(_scan(tmp_path)) == [("FE-03", name, line)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.js.map", json.dumps(MAP | {"sourcesContent": [None]})),
        ("app.js.map", json.dumps(MAP | {"sections": [1, {"map": 2}], "sourcesContent": 3})),
        ("site.map", "no JSON"),
        ("list.map", "[]"),
        ("app.js", _inline({"version": 3})),
        ("app.js", "//# sourceMappingURL=data:application/json;base64,A\n"),
        ("app.js", "//# sourceMappingURL=app.js.map\n"),
    ],
)
def test_maps_without_sources_are_not(tmp_path: Path, name: str, text: str) -> None:
    """Nor what only looks like one."""
    (tmp_path / name).write_text(text)
    result = _scan(tmp_path)
    assert _found(result) == []
    assert result.evidence.ran["FE-03"] == 1


def test_a_credential_in_an_inline_source_map_is_found(tmp_path: Path) -> None:
    """Its sources are Base64, so no plain search sees it."""
    document = MAP | {"sourcesContent": [f"const secret = '{SANDBOX}'"]}
    (tmp_path / "app.js").write_text(_inline(document))
    found = _scan(tmp_path).evidence.spotted
    assert {one.check for one in found} == {"FE-01", "FE-03"}
    assert {one.place.line for one in found} == {2}


def test_a_compressed_script_is_read(tmp_path: Path) -> None:
    """Web servers send such files as they are."""
    (tmp_path / "app.js.gz").write_bytes(gzip.compress(f"let a\nlet b='{SANDBOX}'".encode()))
    (tmp_path / "data.bin").write_bytes(b"\0\xff" + SANDBOX.encode())
    assert _found(_scan(tmp_path)) == [("FE-01", "app.js.gz", 2), ("FE-01", "data.bin", 1)]


def test_other_secrets_are_found_at_their_lines(tmp_path: Path) -> None:
    """By detect-secrets; a second one of a kind is another finding, which moves with its line."""
    key = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
    file = tmp_path / "settings.py"
    file.write_text(f'a = "{key}"\nb = 1\nc = "{key[:-1]}6"\n')
    before = _scan(tmp_path)
    assert _found(before) == [("FE-04", "settings.py", 1), ("FE-04", "settings.py", 3)]
    file.write_text(f"# moved\n{file.read_text()}")
    after = _scan(tmp_path)
    prints = [[one.fingerprint for one in result.evidence.spotted] for result in (before, after)]
    assert prints[0] == prints[1]
    assert len(set(prints[0])) == 2
    assert key not in str(before.evidence.spotted)


def test_without_detect_secrets_the_rest_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report says what did not run, so that it is not taken for proven."""
    monkeypatch.setitem(__import__("sys").modules, "detect_secrets", None)
    (tmp_path / "app.js").write_text("let a")
    result = _scan(tmp_path)
    assert not other_secrets.is_installed()
    assert "FE-04" not in result.evidence.ran
    assert "pytest-turris[audit]" in result.problems[0]


def test_libraries_and_links_are_passed_over(tmp_path: Path) -> None:
    """What others wrote is theirs; a link may lead out of the directory."""
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    (tmp_path / "node_modules" / "a" / "index.js").write_text(SANDBOX)
    outside = tmp_path.with_name("outside.js")
    outside.write_text(SANDBOX)
    (tmp_path / "link.js").symlink_to(outside)
    assert _scan(tmp_path).evidence.ran == {}
    result = scan([outside], base=tmp_path.parent, allowed=(), environment={})
    assert _found(result) == [("FE-01", "outside.js", 1)]
    result = scan([outside], base=tmp_path, allowed=(), environment={})
    assert _found(result) == [("FE-01", "outside.js", 1)]


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken archive, a file that is too large, a path that is not there."""
    monkeypatch.setattr(scanned_files, "LARGEST", 64)
    (tmp_path / "a.js.gz").write_bytes(b"\x1f\x8b broken")
    (tmp_path / "b.js").write_text("x" * 65)
    result = scan([tmp_path, tmp_path / "nowhere"], base=tmp_path, allowed=(), environment={})
    assert [one.partition(":")[0] for one in result.problems] == [
        "a.js.gz was not scanned",
        "b.js was not scanned",
        f"{(tmp_path / 'nowhere').as_posix()} does not exist, so it was not scanned",
    ]
    assert result.evidence.is_empty


def test_what_is_allowed_is_counted(tmp_path: Path) -> None:
    """By check and path; an entry that takes nothing is told."""
    (tmp_path / "app.js").write_text(SANDBOX)
    entry = Allowed(rule="FE-01", place="*.js", reason="a demo")
    others = [
        Allowed(rule="FE-04", place="*.js", reason="why"),
        Allowed(rule="FE-01", place="src/*", reason="why"),
    ]
    result = _scan(tmp_path, [*others, entry])
    assert _found(result) == []
    assert list(result.allowed.values()) == [0, 0, 1]
    assert result.evidence.ran["FE-01"] == 1


@pytest.mark.parametrize("id_", SCANNED)
def test_the_examples_of_explain_are_found_or_not(tmp_path: Path, id_: str) -> None:
    """The broken one by its check; in the right one there is nothing."""
    name, broken, right = SCANNED[id_]
    file = tmp_path / name
    file.write_text(broken.replace("...", "0123456789abcdefghijABCDEFGHIJ012345"))
    assert id_ in {check for check, _, _ in _found(_scan(tmp_path))}
    file.write_text(right)
    assert _found(_scan(tmp_path)) == []


def test_a_run_scans_what_the_project_declares(audited: AuditedProject) -> None:
    """Then the line on frontends has its evidence, and the allowlist is in the report."""
    (audited.path / "dist").mkdir()
    (audited.path / "dist" / "app.js").write_text("let a = 1")
    (audited.path / "turris-audit.toml").write_text(
        '[scan]\npath = "dist"\n[[allowed]]\nrule = "FE-04"\nplace = "old/*"\nreason = "gone"\n'
    )
    audited.pytester.makepyfile("def test_it(turris): pass")
    report = audited.run()
    line = next(one for one in report["lines"] if one["id"] == "SEC-01")
    assert line["status"] == "no violation"
    assert report["allowed"][0]["times"] == 0
    assert audited.result is not None
    audited.result.stdout.fnmatch_lines(["*[[]allowed]] says of FE-04 at old/* is not there*"])
    (audited.path / "dist" / "app.js").write_text(SANDBOX)
    report = audited.run("--turris-audit=strict")
    found = [(one["check"], one["path"], one["line"]) for one in report["results"]]
    assert ("FE-01", "dist/app.js", 1) in found
    assert audited.result.ret == 1


@given(before=st.binary(max_size=12), after=st.binary(max_size=12))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_base64_is_found_at_each_alignment(tmp_path: Path, before: bytes, after: bytes) -> None:
    """Whatever was encoded with it."""
    text = base64.b64encode(before + SANDBOX.encode() + after).decode()
    (tmp_path / "app.js").write_text(text)
    assert ("FE-01", "app.js", 1) in _found(_scan(tmp_path))
