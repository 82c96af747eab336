"""``turris-audit.toml``: attestations, waivers, and mistakes in them."""

import datetime as dt
from pathlib import Path

import pytest
from audit.conftest import AuditedProject

from pytest_turris.audit.assessment import Ledger, RunFacts, assess
from pytest_turris.audit.declarations import DeclarationError, Declarations
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.families import all_checks, check_of
from pytest_turris.audit.places import Place
from pytest_turris.audit.reports import terminal
from pytest_turris.audit.reports.document import report_document
from pytest_turris.audit.reports.html import html
from pytest_turris.audit.reports.markdown import markdown
from pytest_turris.findings.verdict import Finding, Verdict

NOW = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
ATTESTED = """
[[attested]]
line = "SEC-19"
statement = "Deleted after 30 days."
owner = "Dana Lee"
date = 2027-01-02
review-by = 2027-06-30
"""
WAIVED = """
[[waived]]
rule = "RQ-05"
place = "src/*.py::Client.*"
reason = "Release 4 replaces it."
owner = "Kim"
expires = 2027-06-30
"""


def _read(path: Path, text: str) -> Declarations:
    file = path / "turris-audit.toml"
    file.write_text(text)
    return Declarations.read(file, lambda: iter(all_checks()))


def _ledger(level: str = "must", symbol: str = "Client.login") -> Ledger:
    finding = Finding(level=level, sent="", got="two tokens", expected="one")  # type: ignore[arg-type] # a level
    place = Place(path="src/app.py", line=3, symbol=symbol)
    ledger = Ledger()
    spotted = Spotted(check="RQ-05", finding=finding, place=place, test="t")
    ledger.add(Evidence(test="t", ran={"RQ-05": 2}, spotted=[spotted]))
    return ledger


def _assessed(declared: Declarations, ledger: Ledger | None = None, now: dt.datetime = NOW):  # type: ignore[no-untyped-def] # noqa: ANN202 - an Assessment
    return assess(ledger or Ledger(), declared, RunFacts(), now, here="pyproject.toml")


def test_an_attestation_counts_until_its_review(tmp_path: Path) -> None:
    """After that day the line is not observed, and the note says why."""
    declared = _read(tmp_path, ATTESTED)
    states = {one.line.id: one for one in _assessed(declared).lines}
    assert states["SEC-19"].status == "attested"
    later = dt.datetime(2027, 7, 1, tzinfo=dt.UTC)
    overdue = {one.line.id: one for one in _assessed(declared, now=later).lines}["SEC-19"]
    assert overdue.status == "not observed"
    assert "Dana Lee" in overdue.note


def test_a_word_does_not_undo_a_finding(tmp_path: Path) -> None:
    """An attested line that is violated stays violated."""
    declared = _read(tmp_path, ATTESTED.replace("SEC-19", "SEC-08"))
    states = {one.line.id: one for one in _assessed(declared, _ledger()).lines}
    assert states["SEC-08"].status == "violated"


def test_a_waiver_covers_its_place(tmp_path: Path) -> None:
    """The line is waived, and a strict run passes."""
    assessed = _assessed(_read(tmp_path, WAIVED), _ledger())
    assert {one.line.id: one.status for one in assessed.lines}["SEC-08"] == "waived"
    assert assessed.failures() == []
    assert [state for _, state in assessed.waivers] == ["used"]


@pytest.mark.parametrize("symbol", ["login", "Other.login"])
def test_a_waiver_covers_no_other_place(tmp_path: Path, symbol: str) -> None:
    """It is reported as unused."""
    assessed = _assessed(_read(tmp_path, WAIVED), _ledger(symbol=symbol))
    assert {one.line.id: one.status for one in assessed.lines}["SEC-08"] == "violated"
    assert [state for _, state in assessed.waivers] == ["unused"]
    assert len(assessed.failures()) == 1


def test_an_expired_waiver_fails(tmp_path: Path) -> None:
    """The finding counts again, and the waiver itself is a failure."""
    later = dt.datetime(2027, 7, 1, tzinfo=dt.UTC)
    assessed = _assessed(_read(tmp_path, WAIVED), _ledger(), now=later)
    assert any("expired" in failure for failure in assessed.failures())
    assert {one.line.id: one.status for one in assessed.lines}["SEC-08"] == "violated"


def test_information_breaks_no_line() -> None:
    """A finding of level info is told, and the line holds."""
    assessed = _assessed(Declarations(), _ledger("info"))
    assert {one.line.id: one.status for one in assessed.lines}["SEC-08"] == "proven"
    assert assessed.failures() == []
    assert len(assessed.failures("info")) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not toml", "not TOML"),
        ("[[atested]]\n", "did you mean 'attested'"),
        ("attested = 3\n", "[[attested]]"),
        ("log = 3\n", "[log] is not a table"),
        ("[log]\nlogger = 3\n", "logger is a text"),
        (ATTESTED.replace("SEC-19", "SEC-99"), "no 'SEC-99'"),
        (ATTESTED.replace("SEC-19", "SEC-31"), "repeats SEC-02"),
        (ATTESTED.replace("Dana Lee", " "), "needs 'owner'"),
        (ATTESTED.replace("2027-06-30", '"soon"'), "needs 'review-by', a date"),
        (WAIVED.replace("RQ-05", "RQ-99"), "no 'RQ-99'"),
        (WAIVED.replace("expires", "expire"), "did you mean 'expires'"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, words: str) -> None:
    """With the entry, what it needs, and the nearest name."""
    with pytest.raises(DeclarationError) as caught:
        _read(tmp_path, text)
    assert words in str(caught.value)


def test_a_mistake_ends_the_run(audited: AuditedProject) -> None:
    """Before any test."""
    (audited.path / "turris-audit.toml").write_text("[[atested]]\n")
    result = audited.pytester.runpytest_inprocess("--turris-audit", "-p", "no:asyncio")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*turris-audit.toml*did you mean 'attested'*"])


def test_a_file_that_cannot_be_read_ends_the_run(audited: AuditedProject) -> None:
    """With the reason, and without a traceback."""
    (audited.path / "turris-audit.toml").mkdir()
    result = audited.pytester.runpytest_inprocess("--turris-audit", "-p", "no:asyncio")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*turris-audit.toml: *"])


def test_a_check_is_left_out_with_a_reason(audited: AuditedProject) -> None:
    """By the marker or by a call; the report shows the reason, and nothing is found."""
    audited.copy("broken", "test_broken_apps.txt")
    audited.pytester.makepyfile(
        test_broken_apps="""
        import pytest
        import referer

        @pytest.mark.turris(ignore={"RQ-02": "a gateway needs it"})
        def test_marked(turris):
            referer.Turris().list_agents()

        def test_called(turris, turris_audit):
            turris_audit.ignore("RQ-02", reason="a gateway needs it")
            referer.Turris().list_agents()
        """
    )
    report = audited.run()
    assert report["ignored"] == [{"check": "RQ-02", "reason": "a gateway needs it"}]
    assert {one["check"] for one in report["results"]} == {"RQ-16"}


def test_a_misspelt_check_fails_its_test(audited: AuditedProject) -> None:
    """With the nearest id."""
    audited.pytester.makepyfile(
        """
        import pytest

        @pytest.mark.turris(ignore={"RQ-99": "why"})
        def test_marked(turris):
            pass
        """
    )
    audited.run()
    assert audited.result is not None
    audited.result.stdout.fnmatch_lines(["*there is no check 'RQ-99'*"])


OVERDUE = ATTESTED.replace("SEC-19", "SEC-20").replace("2027-06-30", "2027-01-31")
UNUSED = WAIVED.replace("src/*.py::Client.*", "lib/*.py")
EXPIRED = WAIVED.replace("2027-06-30", "2027-01-31")


def test_each_form_shows_what_people_declare(tmp_path: Path) -> None:
    """Who says what until when: on the terminal, in Markdown and in HTML."""
    declared = _read(tmp_path, ATTESTED + OVERDUE + WAIVED + UNUSED + EXPIRED)
    document = report_document(_assessed(declared, _ledger()))
    ((level, finding),) = terminal.findings(document)
    assert level == "must"
    assert (
        "RQ-05 A token is requested only when none is at hand: must, waived until 2027-06-30"
        in (finding)
    )
    assert "Release 4 replaces it. (Kim)" in finding
    table = "\n".join(text for _, text in terminal.table(document))
    late = "The attestation of Dana Lee was to be reviewed by 2027-01-31, so it does not count."
    assert late in table
    assert "As SEC-02." not in table  # the line itself is above
    assert list(terminal.notes(document)) == [
        "the waiver of RQ-05 at lib/*.py is unused (until 2027-06-30, Kim)",
        "the waiver of RQ-05 at src/*.py::Client.* is expired (until 2027-01-31, Kim)",
    ]
    text = markdown(document)
    assert "| Deleted after 30 days. (Dana Lee, 2027-01-02) |" in text
    assert "| must (waived) |" in text
    page = html(document)
    assert "Deleted after 30 days. <span" in page
    assert "Dana Lee, 2027-01-02; review by 2027-06-30." in page
    assert "<dd>Release 4 replaces it. (Kim, until 2027-06-30)</dd>" in page
    rows = page.partition("<h2>Waivers</h2>")[2].partition("</table>")[0].split("<tr><td>")
    assert [row.partition("<")[0] for row in rows[1:]] == ["used", "unused", "expired"]
    assert "lib/*.py</code></td><td>Release 4 replaces it.</td><td>Kim, 2027-06-30<" in rows[2]


def test_a_long_list_ends_in_markdown() -> None:
    """A job's summary has its limit; the page has them all."""
    ledger = Ledger()
    for number in range(52):
        (evidence,) = _ledger(symbol=f"call_{number}")
        evidence.test = f"t{number}"
        ledger.add(evidence)
    document = report_document(_assessed(Declarations(), ledger))
    text = markdown(document)
    assert text.count("| must |") == 50
    assert "\n2 more are in report.html.\n" in text
    assert html(document).count("<article") == 52


def test_an_attack_that_a_test_leaves_out_is_told() -> None:
    """With its reason, as what the audit's own checks leave out; it proves nothing."""
    evidence = Evidence(test="t")
    verdict = Verdict(check=check_of("WH-05"), outcome="ignored", reason="a gateway does it")
    evidence.note_verdict(verdict, Place(path="test_it.py"))
    ledger = Ledger()
    ledger.add(evidence)
    document = report_document(_assessed(Declarations(), ledger))
    assert list(terminal.notes(document)) == ["WH-05 is left out in a test: a gateway does it"]
    assert document["run"]["proves_nothing"]
