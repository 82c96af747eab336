"""Each passive rule, tried on applications that were written without it in mind."""

from dataclasses import dataclass
from typing import Any

import pytest
from audit.conftest import AUDITED, AuditedProject, Watched, marked

from pytest_turris import TimeTravel
from pytest_turris.audit.rules.catalogue import PASSIVE_RULES
from pytest_turris.audit.seen import SeenRequest
from pytest_turris.audit.spellings import secrets_of
from pytest_turris.core.access.tokens import Tokens
from pytest_turris.core.sandbox import Sandbox

_NOT_A_BUG = {"RQ-16"}
"""What a whole run shows, whatever the application."""


def test_each_broken_application_is_caught_at_its_line(audited: AuditedProject) -> None:
    """Nothing else is found in them, and no line is missed."""
    audited.copy("broken", "test_broken_apps.txt")
    report = audited.run()
    found = {(one["check"], one["path"], one["line"]) for one in report["results"]}
    expected = {mark for file in (AUDITED / "broken").glob("*.py") for mark in marked(file)}
    assert {one for one in found if one[0] not in _NOT_A_BUG} == expected


def test_nothing_is_found_in_the_good_applications(audited: AuditedProject) -> None:
    """All rules had something to look at, or are named here."""
    audited.copy("good", "test_good_apps.txt")
    report = audited.run()
    assert audited.result is not None
    assert audited.result.parseoutcomes() == {"passed": 13}
    assert [one for one in report["results"] if one["check"] not in _NOT_A_BUG] == []
    ran = {one["check"] for one in report["checks"]}
    assert set(PASSIVE_RULES) - ran == {"RQ-02"}  # no client has a Referer


@pytest.mark.parametrize("id_", PASSIVE_RULES)
def test_each_rule_has_a_broken_application(id_: str) -> None:
    """A rule that no application breaks is not tested."""
    marks = {mark[0] for file in (AUDITED / "broken").glob("*.py") for mark in marked(file)}
    assert id_ in marks


class Plain:
    """A client that asks for a token whenever it is told to."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    def sign_in(self) -> None:
        """Get a token."""
        self.watched.ask()


@dataclass(slots=True)
class Slotted:
    """The same, with slots: nothing can refer to it weakly."""

    watched: Watched

    def sign_in(self) -> None:
        """Get a token."""
        self.watched.ask()


@pytest.mark.parametrize("kind", [Plain, Slotted])
def test_a_client_is_known_by_its_object(kind: type[Plain] | type[Slotted]) -> None:
    """One that asks while it has a token is found; two that ask once each are not."""
    watched = Watched()
    first, second = kind(watched), kind(watched)
    first.sign_in()
    second.sign_in()
    assert watched.spotted("RQ-05") == []
    first.sign_in()
    first.sign_in()
    (one,) = watched.spotted("RQ-05")
    assert one.finding.kind == "valid token at hand"


@pytest.mark.parametrize(
    ("header", "carries"),
    [
        (("authorization", "Bearer of-another-sandbox"), True),
        (("x-restricted-access-token", "turris_sandbox_token_unknown"), True),
        (("x-api-version", "1"), False),
    ],
)
def test_a_credential_counts_also_if_it_is_refused(header: tuple[str, str], carries: bool) -> None:
    """It was sent, whatever it is worth; and the token of a token request is its secret."""
    watched = Watched()
    watched.send("GET", "/v1/agents", header)
    watched.ask()
    assert [one.carries_credential for one in watched.record.seen] == [carries, True]


@pytest.mark.parametrize("answer", ["AR-02/null", "AR-02/missing"])
def test_an_answer_without_a_token_gives_none(answer: str) -> None:
    """So to ask once more is right, though the sandbox has issued one each time."""
    watched = Watched()
    client = Plain(watched)
    watched.sandbox.faults.hostile(answer, times=1)
    client.sign_in()
    client.sign_in()
    assert [one.status for one in watched.record.seen] == [201, 201]
    assert watched.spotted("RQ-05") == []
    client.sign_in()
    assert len(watched.spotted("RQ-05")) == 1


def test_an_old_token_may_be_used_while_no_other_is_to_be_had(turris_time: TimeTravel) -> None:
    """Inside of the buffer; without the attempt to get another, that is a mistake."""
    for status, count in ((503, 0), (None, 1)):
        watched = Watched()
        bearer = watched.bearer()
        turris_time.advance(minutes=57)
        if status:
            watched.sandbox.faults.add("get_oauth_token", status=status)
            watched.ask()
        watched.send("GET", "/v1/agents", bearer)
        evidence = watched.evidence()
        assert len([one for one in evidence.spotted if one.check == "RQ-06"]) == count
        assert evidence.ran["RQ-06"] == 1


@pytest.mark.parametrize(
    ("headers", "content", "check"),
    [
        ((("referer", "https://app.example/agents"),), {}, "RQ-02"),
        ((), {"host": "api.decoy.invalid"}, "RQ-03"),
        ((("x-note", "eyJ is how a token begins"),), {}, "RQ-13"),
        ((), {"body": b'{"note": "eyJ is how a token begins"}'}, "RQ-13"),
    ],
)
def test_what_looks_like_a_leak_is_none_without_a_secret(
    headers: tuple[tuple[str, str], ...], content: dict[str, Any], check: str
) -> None:
    """The rule has looked, and holds; with the token in that place it is broken."""
    for leaks in (False, True):
        watched = Watched()
        bearer = watched.bearer()
        token = bearer[1] if leaks else ""
        given = [(name, f"{value}{token}") for name, value in headers]
        if "body" in content:
            content = {"body": b'{"note": "eyJ: %s"}' % token.encode()}
        if "host" in content:  # whatever the credential is in
            given += [bearer] if leaks else []
        else:
            given.append(bearer)
        watched.send("POST", "/v1/agents", *given, **content)
        evidence = watched.evidence()
        assert evidence.ran[check] >= 1
        assert [one.check for one in evidence.spotted if one.check == check] == [check] * leaks


@pytest.mark.parametrize("retry_after", [True, False])
def test_a_429_says_in_either_header_when_it_ends(*, retry_after: bool) -> None:
    """A call that is repeated before that, and limited again, came too soon."""
    watched = Watched(retry_after=retry_after)
    bearer = watched.bearer()
    watched.sandbox.limits.exhaust("write")
    for _ in range(2):
        watched.send("POST", "/v1/agents", bearer, body=b'{"npn": "12345678"}')
    assert [one.status for one in watched.record.calls] == [429, 429]
    (one,) = watched.spotted("RQ-09")
    assert one.finding.expected.startswith("a wait of 1:0")  # a minute, in whole seconds


def test_a_429_without_a_reset_says_nothing() -> None:
    """Nobody knows how long to wait, so no wait was too short."""
    watched = Watched()
    bearer = watched.bearer()
    without = {"X-RateLimit-Reset": ""}
    watched.sandbox.faults.add("list_agents", status=429, headers=without, times=2)
    for _ in range(2):
        watched.send("GET", "/v1/agents", bearer)
    evidence = watched.evidence()
    assert [one.status for one in watched.record.calls] == [429, 429]
    assert "RQ-09" not in evidence.ran


def test_a_scripted_429_does_not_say_that_a_wait_was_too_short() -> None:
    """A test that replaces sleeps moves no clock, and a scripted 429 comes whenever it is asked."""
    watched = Watched()
    bearer = watched.bearer()
    watched.sandbox.faults.add("list_agents", status=429, times=None)
    for query in ("", "", "npn=1", "npn=2", "npn=3"):
        watched.send("GET", "/v1/agents", bearer, query=query)
    assert [one.status for one in watched.record.calls] == [429] * 5
    assert not watched.evidence().spotted


def test_limited_requests_are_not_compared_with_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that is limited at each of its different calls costs no time of its server."""
    watched, compared = Watched(), list[SeenRequest]()
    without = {"X-RateLimit-Reset": ""}
    watched.sandbox.faults.add("list_agents", status=429, headers=without, times=100)
    bearer = watched.bearer()
    for number in range(100):
        watched.send("GET", "/v1/agents", bearer, query=f"offset={number}")
    same_as = SeenRequest.same_as

    def counted(one: SeenRequest, other: SeenRequest) -> bool:
        compared.append(one)
        return same_as(one, other)

    monkeypatch.setattr(SeenRequest, "same_as", counted)
    assert "RQ-09" not in watched.evidence().ran
    assert len(compared) <= 200


@pytest.mark.parametrize(
    "content",
    [
        {"headers": (("referer", "https://app.example/agents"),)},
        {"headers": (("x-trace", "eyJhbGciOiJFUzI1NiJ9"),)},
        {"body": b'{"note": "eyJhbGciOiJFUzI1NiJ9"}'},
        {"host": "api.decoy.invalid"},
        {"query": "limit=5&offset=10&sort=createdAt"},
    ],
)
def test_spellings_of_secrets_are_made_once_for_a_rule(
    monkeypatch: pytest.MonkeyPatch, content: dict[str, Any]
) -> None:
    """A thousand tokens have tens of thousands of them, and a server judges while it serves."""
    watched, made = Watched(), list[object]()
    headers = content.pop("headers", ())
    for number in range(20):
        watched.send("POST", f"/v1/agents/{number}", *headers, **content)

    def counted(sandbox: Sandbox) -> list[tuple[str, str]]:
        made.append(sandbox)
        return secrets_of(sandbox)

    for module in ("rule", "urls"):
        place = f"pytest_turris.audit.rules.{module}.secrets_of"
        monkeypatch.setattr(place, counted, raising=False)
    watched.evidence()
    assert 1 <= len(made) <= 4


def test_a_token_is_looked_up_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may have issued thousands of others, and judges while it serves."""
    watched = Watched()
    watched.ask()
    monkeypatch.setattr(Tokens, "__iter__", pytest.fail)
    assert watched.spotted("RQ-05") == []


def test_a_token_for_each_call_is_shown_with_the_first_requests() -> None:
    """A server sees thousands."""
    watched = Watched(token_requests_per_minute=100)
    clients = [Plain(watched) for _ in range(30)]
    for client in clients:
        client.sign_in()
    (one,) = watched.spotted("RQ-05")
    assert one.finding.got == "30 tokens, each for one call at most"
    assert len(one.exchanges) == len(one.numbers) == 10
