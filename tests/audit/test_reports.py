"""The report in each of its forms: valid, inert, without secrets, the same in every run."""

import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types
import pytest
from audit.conftest import AUDITED, AuditedProject
from doubles.consumer_project import QUIET

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "reference" / "audit-report.schema.json").read_text())
HOSTILE = "</script><img src=x onerror=alert(1)> | `x` \x1b[31m\x00\u202e\ufffe=1+1"

LEAKING = f"""
import base64, logging, os, pathlib
import httpx

HOSTILE = {HOSTILE!r}

class Client:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.secret = os.environ["TURRIS_CLIENT_SECRET"]
        body = {{"clientId": os.environ["TURRIS_CLIENT_ID"], "clientSecret": self.secret}}
        self.token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]

    def add(self):
        headers = {{"Authorization": f"Bearer {{self.token}}"}}
        encoded = base64.b64encode(self.secret.encode()).decode()
        body = {{"npn": "12345678", HOSTILE: "x", self.secret: "y", encoded: "z"}}
        self.http.post(f"/v1/agents?{{self.secret.encode().hex()}}={{self.token}}", json=body,
                       headers=headers)
        logging.getLogger("acme").error("%s %s", self.secret, HOSTILE)


def test_it(turris):
    kept = pathlib.Path({{path!r}})
    kept.write_text("\\n".join([turris.client.client_secret,
        turris.webhook_secret, turris.client.client_secret.encode().hex(),
        base64.b64encode(turris.client.client_secret.encode()).decode()[:-2]]))
    client = Client()
    more = "\\n" + client.token + "\\n" + client.token.rpartition(".")[2]
    kept.write_text(kept.read_text() + more)
    client.add()
"""


class _Parsed(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture
def outputs(audited: AuditedProject) -> Path:
    """The files of an audited run of the broken applications."""
    audited.copy("broken", "test_broken_apps.txt")
    audited.run("--junitxml", "junit.xml")
    return audited.path


def test_each_form_is_valid(outputs: Path) -> None:
    """JSON and SARIF by their schemas; JUnit XML has each line of the checklist."""
    report = json.loads((outputs / "report" / "report.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    sarif = json.loads((outputs / "report" / "report.sarif").read_text())
    assert sarif["version"] == "2.1.0"
    (run,) = sarif["runs"]
    assert len(run["results"]) == len(report["results"])
    for result in run["results"]:
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert uri
        assert not uri.startswith(("/", "file:", ".."))
        assert (outputs / uri).exists()
        assert physical["region"]["startLine"] >= 1
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    properties = ET.parse(outputs / "junit.xml").getroot().iter("property")  # noqa: S314 - our own
    named = {(one.get("name"), one.get("value")) for one in properties}
    assert ("turris-audit-SEC-10", "violated") in named
    assert any(name == "turris-audit" and "RQ-05" in str(value) for name, value in named)


def test_the_page_needs_no_script_and_no_other_host(outputs: Path) -> None:
    """It loads nothing; its links lead to the documentation and to its own findings."""
    page = _Parsed()
    page.feed((outputs / "report" / "report.html").read_text())
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "link", "form", "base"})
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = [attrs["href"] or "" for tag, attrs in page.tags if tag == "a"]
    inner = {link.removeprefix("#") for link in links if link.startswith("#")}
    assert inner
    assert inner <= ids
    assert all("src" not in attrs and "style" not in attrs for _, attrs in page.tags)


def test_no_output_holds_a_secret_or_active_text(audited: AuditedProject) -> None:
    """Nor any of their encodings; text from outside stays text, control characters are spelt."""
    secrets = audited.path / "secrets.txt"
    audited.pytester.makepyfile(test_it=LEAKING.replace("{path!r}", repr(str(secrets))))
    report = audited.run("--junitxml", "junit.xml")
    assert {one["check"] for one in report["results"]} >= {"RQ-01", "RQ-14"}
    assert audited.result is not None
    texts = {file.name: file.read_text() for file in (audited.path / "report").iterdir()}
    texts |= {"junit.xml": (audited.path / "junit.xml").read_text()}
    ET.fromstring(texts["junit.xml"])  # noqa: S314 - our own
    texts["terminal"] = audited.result.stdout.str()
    for secret in secrets.read_text().splitlines():
        assert len(secret) > 20
        for name, text in texts.items():
            assert secret not in text, name
            assert secret not in "".join(text.split()), name
    for name, text in texts.items():
        assert not set(text) & set("\x00\u202e\ufffe"), name
        assert "\x1b[31m\\x00" not in text
    page = _Parsed()
    page.feed(texts["report.html"])
    assert "img" not in {tag for tag, _ in page.tags}
    assert "<img" not in texts["report.md"].replace("\\<", "")


def _facts(report: dict[str, Any]) -> tuple[Any, ...]:
    """What has to be the same in each run."""
    lines = [(line["id"], line["status"], line["never"]) for line in report["lines"]]
    found = [
        (one["fingerprint"], one["path"], one["line"], one["tests"]) for one in report["results"]
    ]
    return lines, sorted(found), report["run"]["problems"]


def test_workers_and_order_change_nothing(audited: AuditedProject) -> None:
    """With pytest-xdist, and in another order, the assessment and the fingerprints are the same."""
    audited.copy("broken", "test_broken_apps.txt")
    alone = _facts(audited.run(apart=True))
    assert _facts(audited.run("-n", "2", apart=True)) == alone
    source = (audited.path / "test_broken_apps.py").read_text().split("\n\n\n")
    (audited.path / "test_broken_apps.py").write_text("\n\n\n".join([source[0], *source[:0:-1]]))
    turned = _facts(audited.run(apart=True))
    assert [one[0] for one in turned[1]] == [one[0] for one in alone[1]]
    assert turned[0] == alone[0]


def test_each_distribution_gives_the_same(audited: AuditedProject) -> None:
    """With ``each``, every test runs in every worker: its mistakes are found once.

    The others send each test to one worker; they differ in which.
    """
    audited.copy("broken", "test_broken_apps.txt")
    chosen = ("-k", "referer or writes_twice or goes_on")
    alone = _facts(audited.run(*chosen, apart=True))
    assert len(alone[1]) >= 3
    for how in ("each", "loadgroup"):
        found = _facts(audited.run("-n", "2", "--dist", how, *chosen, apart=True))
        assert found == alone, how


def test_lines_may_move(audited: AuditedProject) -> None:
    """A comment above a mistake changes its line, not its fingerprint."""
    audited.copy("broken", "test_broken_apps.txt")
    before = {one["fingerprint"] for one in audited.run()["results"]}
    for file in audited.path.glob("*.py"):
        if not file.name.startswith("test_"):
            file.write_text(f"# moved\n{file.read_text()}")
    after = audited.run()
    assert {one["fingerprint"] for one in after["results"]} == before


def test_a_crashed_worker_is_named(audited: AuditedProject) -> None:
    """What the others saw stays."""
    audited.copy("good", "test_good_apps.txt")
    audited.pytester.makepyfile(test_zz="import os\ndef test_dies(turris): os._exit(3)")
    report = audited.run("-n", "1", apart=True)
    (problem, *_) = report["run"]["problems"]
    assert "a worker crashed in test_zz.py::test_dies" in problem
    assert "RQ-05" in {one["check"] for one in report["checks"]}


def test_an_early_stop_is_told(audited: AuditedProject) -> None:
    """With -x, the tests that did not run gave no evidence."""
    audited.pytester.makepyfile(
        "def test_a(turris): assert False\ndef test_b(turris): pass\ndef test_c(turris): pass"
    )
    report = audited.run("-x")
    assert "2 tests of 3 did not finish" in report["run"]["problems"][0]


def test_no_tests_prove_nothing(audited: AuditedProject) -> None:
    """An empty run says so, in each form."""
    audited.pytester.makepyfile("")
    report = audited.run()
    assert report["run"]["proves_nothing"]
    assert report["run"]["problems"] == ["no test ran"]
    assert report["summary"]["proven"] == 0
    for name in ("report.html", "report.md"):
        assert "Nothing is proven" in (audited.path / "report" / name).read_text()


def test_a_rerun_keeps_what_was_found(audited: AuditedProject) -> None:
    """An attempt that was repeated is evidence too: its mistake is found once."""
    audited.pytester.makeconftest(
        """
        import pytest
        from _pytest.runner import runtestprotocol

        @pytest.hookimpl
        def pytest_runtest_protocol(item, nextitem):
            for _ in range(2):
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    item.ihook.pytest_runtest_logreport(report=report)
            return True
        """
    )
    audited.copy("broken", "test_broken_apps.txt")
    report = audited.run("-k", "test_referer")
    assert [one["check"] for one in report["results"] if one["level"] == "must"] == ["RQ-02"]
    assert AUDITED.exists()


@pytest.mark.parametrize(
    ("option", "status"), [("--turris-audit=strict", 1), ("--turris-audit", 0)]
)
def test_only_a_strict_run_fails(audited: AuditedProject, option: str, status: int) -> None:
    """The value belongs to the option: an argument after it is a path."""
    audited.copy("broken", "test_broken_apps.txt")
    audited.run(option, "test_broken_apps.py", "-k", "test_referer")
    assert audited.result is not None
    assert audited.result.ret == status
    assert audited.result.parseoutcomes()["passed"] == 1


def test_the_fixture_alone_gives_a_report(audited: AuditedProject) -> None:
    """Without an option, and with workers: then the controller has no fixture."""
    audited.pytester.makepyfile("def test_it(turris, turris_audit): turris_audit.log('acme')")
    for args in ((), ("-n", "1")):
        result = audited.pytester.runpytest_subprocess("-p", "no:asyncio", *args)
        result.stdout.fnmatch_lines(
            ["*turris audit: Security Best Practices*", "*nothing is proven*"]
        )
        assert result.ret == 0


def test_collecting_alone_writes_no_report(audited: AuditedProject) -> None:
    """There is nothing to report on."""
    audited.pytester.makepyfile("def test_it(turris): pass")
    audited.pytester.runpytest_inprocess(
        "--collect-only", "--turris-audit-report", "report", "-p", "no:asyncio"
    )
    assert not (audited.path / "report").exists()


@pytest.mark.parametrize("directory", ["file", "file/below"])
def test_an_impossible_directory_ends_the_run_at_its_beginning(
    audited: AuditedProject, directory: str
) -> None:
    """A mistake on the command line is told before the tests, and not after an hour of them."""
    audited.pytester.makepyfile("def test_it(turris): raise AssertionError")
    (audited.path / "file").write_text("")
    result = audited.pytester.runpytest_inprocess(*QUIET, "--turris-audit-report", directory)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"*--turris-audit-report {directory}: cannot make this directory*"]
    )


def test_a_report_that_cannot_be_written_is_told_at_the_end(audited: AuditedProject) -> None:
    """The run keeps its summary and its status."""
    audited.pytester.makepyfile("def test_it(turris): pass")
    (audited.path / "report" / "report.json").mkdir(parents=True)
    result = audited.pytester.runpytest_inprocess(*QUIET, "--turris-audit-report", "report")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "*turris audit:*",
            "--turris-audit-report report: cannot write report.json: *",
            "*1 passed*",
        ]
    )
    result.stdout.no_fnmatch_line("report: *")
