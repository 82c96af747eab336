"""What an audited run writes, and where; and what it says that it cannot see."""

import re
import socket

import pytest
from audit.conftest import AuditedProject
from doubles.consumer_project import QUIET

from pytest_turris.audit import seen
from pytest_turris.audit.leaks import traces


def test_without_a_directory_the_terminal_has_it_all(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is written; a test without a sandbox gives no evidence, and is no problem."""
    audited.copy("good", "test_good_apps.txt")
    audited.pytester.makepyfile(
        test_good_apps="""
        import sync_client

        def test_other(): pass

        def test_it(turris): sync_client.Turris().list_agents()
        """
    )
    before = {file.name for file in audited.path.iterdir()}
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    result = audited.pytester.runpytest_inprocess(*QUIET, "--turris-audit")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["*turris audit: Security Best Practices*", "proven *SEC-10 *", "*no violation, 4 proven"]
    )
    for words in ("report:*", "note:*"):
        result.stdout.no_fnmatch_line(words)
    assert {file.name for file in audited.path.iterdir()} == before


def test_a_channel_that_is_closed_is_told(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the error, if no canary gets out: such as where a conftest refuses sockets."""
    monkeypatch.setattr(socket, "create_server", socket.create_server)  # puts it back
    audited.pytester.makeconftest(
        """
        import socket

        def refused(*args, **options):
            raise RuntimeError("no sockets in unit tests. See the handbook.")

        socket.create_server = refused
        """
    )
    audited.pytester.makepyfile("def test_it(turris): pass")
    report = audited.run()
    blind = {one["check"]: one["reason"] for one in report["channels"] if not one["sees"]}
    assert blind == {"LK-08": "RuntimeError: no sockets in unit tests"}
    assert audited.result is not None
    audited.result.stdout.fnmatch_lines(["note: LK-08 was blind, so it shows nothing: *"])


def test_what_an_audit_left_out_is_a_problem(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is an end to what is kept of one test, and the report says where it came."""
    monkeypatch.setattr(seen, "_MOST", 2)
    monkeypatch.setattr(traces, "_MOST", 30)
    audited.copy("good", "test_good_apps.txt")
    audited.pytester.makepyfile(
        test_good_apps="""
        import logging
        import sync_client

        def test_requests(turris):
            client = sync_client.Turris()
            for _ in range(4):
                client.list_agents()

        def test_texts(turris):
            for number in range(35):
                logging.getLogger("acme").error("%d", number)
        """
    )
    report = audited.run()
    requests, texts = report["run"]["problems"]
    assert requests == "the audit left out the last 3 requests of test_good_apps.py::test_requests"
    # What the plugins of this environment log and print counts too.
    assert re.fullmatch(r".* the last \d texts of test_good_apps.py::test_texts", texts)
    page = (audited.path / "report" / "report.html").read_text(encoding="utf-8")
    assert "left out the last 3 requests" in page
