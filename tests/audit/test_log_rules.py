"""The rules for an audit log, tried on applications that keep one."""

import datetime as dt
import json
from typing import Any

import pytest
from audit.conftest import AUDITED, AuditedProject, Watched, marked
from doubles.searched import Searched

from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.leaks.traces import Trace
from pytest_turris.audit.places import NOWHERE, PlaceFinder
from pytest_turris.audit.rules.log import LogAudit, LogLine, personal_data
from pytest_turris.audit.rules.logged import LoggedAnswers, _records
from pytest_turris.audit.spellings import SecretForms, secrets_of


def test_each_log_is_judged_at_its_line(audited: AuditedProject) -> None:
    """What misses a record, a status, or says too much; and nothing of the careful ones."""
    audited.copy("logging_apps", "test_logging_apps.txt")
    report = audited.run()
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"passed": 6}
    found = {(one["check"], one["path"], one["line"]) for one in report["results"]}
    expected = {mark for file in (AUDITED / "logging_apps").glob("*.py") for mark in marked(file)}
    # RQ-16 is about the credentials of all of them together.
    assert {one for one in found if one[0] != "RQ-16"} == expected
    held = {one["check"]: one["times"] for one in report["checks"]}
    # Two requests for each of six applications; the second rule needs a record of the first.
    assert (held["AU-1"], held["AU-2"]) == (12, 11)
    states = {line["id"]: line["status"] for line in report["lines"]}
    assert states["SEC-16"] == states["SEC-24"] == "violated"


def test_a_log_of_the_project_is_watched_in_each_test(audited: AuditedProject) -> None:
    """Named once in ``turris-audit.toml``; without a log the lines are not observed."""
    audited.copy("logging_apps", "test_logging_apps.txt")
    audited.pytester.makepyfile(
        test_logging_apps="""
        import records_all

        def test_it(turris, caplog):
            caplog.set_level("INFO", logger="acme")
            records_all.Turris().invite("ABC", "dana.lee@abc.example")
        """
    )
    report = audited.run()
    assert {line["id"]: line["status"] for line in report["lines"]}["SEC-24"] == "not observed"
    (audited.path / "turris-audit.toml").write_text('[log]\nlogger = "acme"\n')
    report = audited.run()
    assert {line["id"]: line["status"] for line in report["lines"]}["SEC-24"] == "proven"


@pytest.mark.parametrize("written", [True, False])
def test_a_file_of_the_project_is_the_log(
    audited: AuditedProject, monkeypatch: pytest.MonkeyPatch, *, written: bool
) -> None:
    """What each test appends to it counts for that test; one that nobody writes has no record."""
    audited.copy("logging_apps", "test_logging_apps.txt")
    audited.pytester.makepyfile(
        test_logging_apps="""
        import pytest
        import records_in_a_file

        @pytest.mark.parametrize("number", [1, 2])
        def test_it(turris, number):
            records_in_a_file.Turris().invite("ABC", "dana.lee@abc.example")
        """
    )
    monkeypatch.setenv("ACME_AUDIT", "audit.log")
    name = "audit.log" if written else "other.log"
    (audited.path / "turris-audit.toml").write_text(f'[log]\nfile = "{name}"\n')
    report = audited.run()
    held = {one["check"]: one["times"] for one in report["checks"]}
    assert held["AU-1"] == 4
    unlogged = [one["got"] for one in report["results"] if one["check"] == "AU-1"]
    assert bool(unlogged) != written


class Logged(Watched):
    """A sandbox with one request, and a log about it."""

    def __init__(self) -> None:
        super().__init__()
        self.ask()
        self.request_id = self.record.seen[0].request_id

    def found(self, *texts: str) -> list[str]:
        """What the rules find in these records."""
        evidence = Evidence(test="t")
        lines = [LogLine(text, text, NOWHERE) for text in texts]
        forms = SecretForms(secrets_of(self.sandbox))
        LogAudit(evidence, self.record, lines, forms, PlaceFinder(AUDITED)).judge()
        return [f"{one.check} {one.finding.got}" for one in evidence.spotted]


@pytest.fixture
def logged() -> Logged:
    """A sandbox that saw one token request."""
    return Logged()


def test_a_record_may_name_the_operation(logged: Logged) -> None:
    """In place of the path."""
    operation = logged.record.seen[0].operation
    assert logged.found(f"POST {operation} 201 {logged.request_id}") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("POST /v1/auth/jwt 201 ", "AU-2 a record without the requestId"),
        ("POST /v1/auth/jwt {id}", "AU-2 a record without the status"),
        ("GET /v1/auth/jwt 201 {id}", "AU-1 no record"),
        ("POST /v1/auth/jwt 201 {id}\x1b[2K", "AU-3 the character U+001B in a record"),
        ("POST /v1/auth/jwt 201 {id}\u2028GET", "AU-3 the character U+2028 in a record"),
        ("POST /v1/auth/jwt 201 {id} {secret}", "AU-4 a client secret in a record"),
    ],
)
def test_a_record_is_read(logged: Logged, text: str, found: str) -> None:
    """Each of the four rules has its part of it."""
    secret = str(logged.sandbox.client.client_secret)
    assert logged.found(text.format(id=logged.request_id, secret=secret)) == [found]


def test_an_answer_that_took_long_may_be_unknown(logged: Logged) -> None:
    """A client that has stopped waiting has no status and no requestId to log."""
    for delay in ({"delay": dt.timedelta(minutes=1)}, {"real_delay": 30.0}):
        logged.sandbox.faults.add("list_agents", **delay)
        logged.send("GET", "/v1/agents")
    known = f"POST /v1/auth/jwt 201 {logged.request_id}"
    assert logged.found(known, "GET /v1/agents: ReadTimeout", "GET /v1/agents: ReadTimeout") == []


def test_records_of_threads_come_in_any_order(logged: Logged) -> None:
    """The requestId says which belongs to which; one without it is another's."""
    logged.send("GET", "/v1/agents")
    logged.send("GET", "/v1/agents")
    first, second = (one.request_id for one in logged.record.seen[1:])
    known = f"POST /v1/auth/jwt 201 {logged.request_id}"
    turned = [f"GET /v1/agents 401 {second}", f"GET /v1/agents 401 {first}"]
    assert logged.found(known, *turned) == []
    assert logged.found(known, turned[0], "GET /v1/agents 401") == [
        "AU-2 a record without the requestId"
    ]


def test_two_requests_need_two_records(logged: Logged) -> None:
    """One record is not counted twice."""
    logged.send("GET", "/v1/agents")
    logged.send("GET", "/v1/agents")
    first = f"POST /v1/auth/jwt 201 {logged.request_id}"
    agents = [one.request_id for one in logged.record.seen[1:]]
    one = f"GET /v1/agents 401 {agents[0]}"
    assert logged.found(first, one) == ["AU-1 no record"]
    assert logged.found(first, one, f"GET /v1/agents 401 {agents[1]}") == []


@pytest.mark.parametrize("known", [True, False])
def test_lines_are_not_compared_with_each_request(logged: Logged, *, known: bool) -> None:
    """A log may have as many lines as bytes fit into a request of the control API."""
    for number in range(100):
        query = f"npn={number:08}&limit=5"
        logged.send("GET", "/v1/agents" if known else f"/v1/agents/{number:024}", query=query)
    looked_for = list[object]()
    text = Searched("a b GET /v1/agents", looked_for)
    lines = [LogLine(text, text, NOWHERE) for _ in range(500)]
    evidence, forms = Evidence(test="t"), SecretForms(secrets_of(logged.sandbox))
    LogAudit(evidence, logged.record, lines, forms, PlaceFinder(AUDITED)).judge()
    assert evidence.ran["AU-1"] == 101
    assert len(looked_for) < 10 * (101 + 500)


def test_an_answer_is_read_once_for_all_lines(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer with the record of a line is found, whatever the other records share."""
    for number in range(20):
        logged.send("GET", "/v1/agents")
        rows = [{f"m{at}": f"value {at} of {number}" for at in range(8)} | {"state": "Texas"}] * 2
        logged.record.seen[-1].answered = json.dumps({"data": rows}).encode()
    logged.record.seen[-1].answered = logged.record.seen[-2].answered
    lines = [f"Texas: {[f'value {at} of {number}' for at in range(7)]}" for number in range(20)]
    read, loads = list[bytes](), json.loads

    def counted(text: bytes) -> object:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(json, "loads", counted)
    evidence = Evidence(test="t")
    traces = [Trace("LK-01", text, NOWHERE) for text in [*lines, "State: Texas"] * 5]
    answers = LoggedAnswers(evidence, logged.record, traces, PlaceFinder(AUDITED))
    answers.judge(frozenset({"RQ-19"}))
    assert len(read) == 20
    assert evidence.ran == {"RQ-18": 105}
    assert {one.numbers for one in evidence.spotted} == {(2,)}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"query": "npn=12345678&limit=5"}, {"npn"}),
        ({"body": b'{"agents": [{"homeEmail": "a@b.example", "date_of_birth": "1990-01-02"}]}'},
         {"homeEmail", "date_of_birth"}),
        ({"body": b'{"email": "a@b", "phone": 5}'}, set()),
        ({"body": b"no JSON"}, set()),
        ({"query": "npn=agents"}, set()),
    ],
)  # fmt: skip
def test_personal_data_is_known_by_its_name(
    logged: Logged, content: dict[str, Any], names: set[str]
) -> None:
    """In the query and at any depth of the body; not what is too short, or in the path anyhow."""
    logged.send("GET", "/v1/agents", **content)
    seen = logged.record.seen[-1]
    assert {name for name, _ in personal_data(seen)} == names
    assert seen.at.tzinfo is dt.UTC


def test_answers_are_neither_logged_whole_nor_forgotten(audited: AuditedProject) -> None:
    """A whole record in the log, an error without its requestId; and neither of a careful one."""
    audited.copy("answers", "test_answers.txt")
    report = audited.run()
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"passed": 6}
    found = {(one["check"], one["path"], one["line"]) for one in report["results"]}
    expected = {mark for file in (AUDITED / "answers").glob("*.py") for mark in marked(file)}
    assert {one for one in found if one[0] != "RQ-16"} == expected
    held = {one["check"]: one["times"] for one in report["checks"]}
    assert held["RQ-19"] == 2


@pytest.mark.parametrize(
    ("answered", "count"),
    [
        (b"no JSON", 0),
        (b'"text"', 1),
        (b'[{"a": "long value", "b": ["another one", 5]}]', 2),
        (b'{"data": {"a": {"b": "long value"}}}', 1),
    ],
)
def test_records_of_any_shape_are_read(logged: Logged, answered: bytes, count: int) -> None:
    """With or without an envelope; numbers and short texts are not looked for."""
    logged.send("GET", "/v1/agents")
    seen = logged.record.seen[-1]
    seen.answered = answered
    assert sum(len(values) for values in _records(seen)) == count
