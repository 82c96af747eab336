"""The file of certificate authorities that child processes get."""

import sys
from pathlib import Path
from types import SimpleNamespace

import certifi
import pytest

from pytest_turris.doors.authorities import trusted, trusted_file
from pytest_turris.doors.environment import TRUST

OURS = b"ours\n"


@pytest.fixture(autouse=True)
def nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of the machine say nothing."""
    for name in TRUST:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The system's own file."""
    (tmp_path / "system").write_bytes(b"system\n")
    paths = SimpleNamespace(cafile=str(tmp_path / "system"))
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: paths)
    return paths


def test_what_the_variables_name_stays_trusted(
    system: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file once; the system's too, while one library or another still uses that."""
    for name, text in (("company", b"company"), ("team", b"team\n")):
        (tmp_path / name).write_bytes(text)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(tmp_path / "team"))
    assert trusted(OURS) == b"team\nsystem\nours\n"
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company"))
    assert trusted(OURS) == b"company\nteam\nsystem\nours\n"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company"))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "company"))
    assert trusted(OURS) == b"company\nteam\nours\n"


def test_else_what_the_system_or_a_library_has(
    system: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is missing is as none."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    assert trusted(OURS) == b"system\nours\n"
    system.cafile = None
    assert trusted(OURS) == Path(certifi.where()).read_bytes().rstrip(b"\n") + b"\nours\n"
    monkeypatch.setitem(sys.modules, "certifi", None)
    assert trusted(OURS) == OURS


def test_file_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until something else is trusted; no part of it stays behind."""
    first = trusted_file(tmp_path, OURS)
    assert trusted_file(tmp_path, OURS) == first
    assert first.read_bytes() == trusted(OURS)
    (tmp_path / "company").write_bytes(b"company")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company"))
    second = trusted_file(tmp_path, OURS)
    assert second.read_bytes() == trusted(OURS) != first.read_bytes()
    assert {*tmp_path.iterdir()} == {tmp_path / "company", first, second}
