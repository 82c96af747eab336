"""A file that is the audit log: what a test appends to it, whatever else happens to it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from audit.conftest import AuditedProject

from pytest_turris.audit.declarations import DeclarationError
from pytest_turris.audit.rules.log_file import LogFile


def append(file: Path, text: str) -> None:
    """Write as a logging handler does."""
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)


def rotate(file: Path) -> None:
    """As ``RotatingFileHandler``: the file gets another name, and a new one begins."""
    append(file, "old end\n")
    file.rename(file.with_name(f"{file.name}.1"))
    append(file, "new\n")


def empty(file: Path) -> None:
    """As ``copytruncate`` of logrotate."""
    file.write_text("new\n", encoding="utf-8")


def remove(file: Path) -> None:
    """Leave none."""
    file.unlink()


@pytest.mark.parametrize(
    ("change", "added"),
    [
        (lambda file: append(file, "new\n"), "new\n"),
        (lambda _file: None, ""),
        (rotate, "old end\nnew\n"),
        (empty, "new\n"),
        (remove, ""),
    ],
)
def test_what_is_appended(tmp_path: Path, change: Callable[[Path], None], added: str) -> None:
    """What was there before does not count; what is rotated away does."""
    file = tmp_path / "audit.log"
    file.write_text("before, and longer than what comes\n", encoding="utf-8")
    log = LogFile(file)
    change(file)
    assert log.added() == added


def test_one_that_is_new(tmp_path: Path) -> None:
    """All of it counts, and nothing if nobody writes it."""
    log = LogFile(tmp_path / "audit.log")
    assert log.added() == ""
    append(tmp_path / "audit.log", "new\n")
    assert log.added() == "new\n"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """To read a pipe would wait without end."""
    make(tmp_path / "audit")
    with pytest.raises(DeclarationError, match=r"audit log .*/audit is not a regular file"):
        LogFile(tmp_path / "audit")


def test_run_with_a_directory_ends_with_one_sentence(audited: AuditedProject) -> None:
    """Declared in the file, before any test."""
    (audited.path / "logs").mkdir()
    (audited.path / "turris-audit.toml").write_text('[log]\nfile = "logs"\n')
    audited.pytester.makepyfile("def test_it(turris): pass")
    result = audited.pytester.runpytest("--turris-audit")
    result.stderr.fnmatch_lines(["ERROR: turris audit: the audit log */logs is not a regular file"])


def test_file_that_cannot_be_read_judges_nothing(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report says so; requests are not called unlogged."""
    monkeypatch.setattr(LogFile, "added", _fail)
    audited.copy("logging_apps", "test_logging_apps.txt")
    audited.pytester.makepyfile(
        test_logging_apps="""
        import records_in_a_file

        def test_it(turris):
            records_in_a_file.Turris().invite("ABC", "dana.lee@abc.example")
        """
    )
    monkeypatch.setenv("ACME_AUDIT", "audit.log")
    (audited.path / "turris-audit.toml").write_text('[log]\nfile = "audit.log"\n')
    report = audited.run()
    assert [one for one in report["results"] if one["check"].startswith("AU-")] == []
    assert audited.result is not None
    audited.result.stdout.fnmatch_lines(
        ["note: the audit log */audit.log cannot be read, so it was not judged: Permission denied"]
    )


def _fail(_self: LogFile) -> str:
    raise PermissionError(13, "Permission denied")
