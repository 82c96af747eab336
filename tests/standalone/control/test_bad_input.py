"""Bad input to every control, drawn from the table: a clear refusal, and nothing is changed."""

import json
import random  # noqa: TID251 - each run draws the same
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from doubles.controlled import Controlled

from mock_server.control.control import Control
from mock_server.control.description import describe
from mock_server.control.table import CONTROLS
from mock_server.control.wire.documents import validated
from mock_server.control.wire.errors import ControlError

DEEP: Any = [[[[[[[[{"a": [1]}]]]]]]]]
WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1.5, "", " ", "\0", "\ud7ff\U0001f3e2", "../../etc/passwd",
    "x" * 5_000, "\ud800", "e\u0301\u202e\u200f\ufeff",
    [], ["x"], {}, {"$ref": "x"}, DEEP, "null", "{{7*7}}", "507f1f77bcf86cd799439011", "1h30m",
)  # fmt: skip
DRAWN = 12
ROWS = [row for row in CONTROLS.values() if not row.sends and not row.streams]


def documents(row: Control, numbers: random.Random) -> Iterator[bytes]:
    """Bodies that are wrong in one or more members, in their shape, or in their bytes."""
    names = [one["name"] for one in describe(row)["parameters"] if one["where"] != "path"]
    for _ in range(DRAWN):
        chosen = numbers.sample(names, min(len(names), numbers.randint(1, 3)))
        given = {name: numbers.choice(WRONG) for name in chosen}
        yield json.dumps(given | numbers.choice([{}, {"nobodyKnows": 1}])).encode()
    for name in names[:4]:
        yield f'{{"{name}":null,"{name}":1}}'.encode()
    yield from (b"", b"{", b"[]", b"null", b'{"a":1,"a":2}', b"\xff", b'"x"', b"[" * 2_000)


def paths(row: Control, numbers: random.Random) -> Iterator[str]:
    """The path of a row, with ids that are not there."""
    while True:
        path = row.path
        for name in row.in_path:
            odd = numbers.choice(["0", "507f1f77bcf86cd799439011", "x", "%00", "%2e%2e", "..."])
            path = path.replace(f"{{{name}}}", odd)
        yield path


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bad_input_is_refused_and_changes_nothing(row: Control) -> None:
    """The answer is never 5xx; a refusal says what is wrong, and leaves the state as it was."""
    server, numbers = Controlled(), random.Random(row.name)  # noqa: S311 - it has to repeat
    server.sandbox.seed("small_agency")
    places = paths(row, numbers)
    for body in documents(row, numbers):
        before = server.sandbox.snapshot()
        answer = server.send(row.method, next(places), body if row.has_body else b"")
        assert answer.status < 500, (body[:200], server.log[-1:])
        if answer.status >= 400:
            assert answer.json()["errorMessage"], body
            assert server.sandbox.snapshot() == before, (row.name, body[:200])


MISFITS: tuple[Any, ...] = (
    *(one for one in WRONG if one != "\ud800"),  # which never arrives
    "2026-03-01T12:00:00", "2026-13-01", "9" * 5_000, "a/b", {"a b": "x"}, {"a": "\0"},
)  # fmt: skip
OF_VALIDATORS = re.compile(
    r"\bshould\b|\b[Vv]alid\b|[Ii]nput should|instance of|dictionary|\bdt\.|pattern|mongodb|unable"
    r"|^there is"
)


def refusals(row: Control, member: str) -> Iterator[str]:
    """What is expected of a member in place of each misfit, as JSON and as text."""
    for value in MISFITS:
        for texts in {False, isinstance(value, str)}:
            try:
                validated(row, {member: value}, texts=texts)
            except ControlError as error:
                yield from (one.expected for one in error.problems)


@pytest.mark.parametrize("row", CONTROLS.values(), ids=lambda row: row.name)
def test_what_is_expected_is_in_words(row: Control) -> None:
    """A shell and a client in any language read them: no expression, and no type of Python."""
    members = [one["name"] for one in describe(row)["parameters"]]
    said = {words for member in members for words in refusals(row, member)}
    assert [words for words in said if OF_VALIDATORS.search(words)] == []


@pytest.mark.parametrize(
    ("name", "member", "value", "words"),
    [
        ("clock move", "to", "2026-03-01T12:00:00", "a moment with a time zone, such as 2026-"),
        ("clock move", "to", "2026-13-01T12:00:00Z", "a moment in ISO 8601, such as 2026-"),
        ("snapshots save", "name", "a/b", "at most 64 letters from a to z, digits, dots, hyphens"),
        ("tenants create", "name", "a b", "at most 64 letters from a to z, digits, dots, hyphens"),
        ("clock to-expiry", "tokenId", "x" * 65, "a text with at most 64 characters"),
        ("faults add", "headers", {"a b": "x"}, "the name of a header: letters, digits and some"),
        ("journal list", "operation", "agents", "an operation; did you mean 'list_agents'?"),
        ("agents add", "isArchived", "perhaps", "true or false"),
    ],
)
def test_words_say_what_to_write(name: str, member: str, value: object, words: str) -> None:
    """Such as the characters of a name, or a moment with its zone."""
    with pytest.raises(ControlError) as refused:
        validated(CONTROLS[name], {member: value})
    assert any(words in problem.expected for problem in refused.value.problems)


@pytest.mark.parametrize("row", [row for row in ROWS if not row.has_body], ids=lambda row: row.name)
def test_bad_queries_are_refused_and_change_nothing(row: Control) -> None:
    """As above, for what stands in a query."""
    server, numbers = Controlled(), random.Random(row.name)  # noqa: S311 - as above
    names = [one["name"] for one in describe(row)["parameters"] if one["where"] == "query"]
    places = paths(row, numbers)
    queries = ["unknown=1", "=", "&&", "%ff=1", "a" * 3_000]
    queries += [f"{name}={value}" for name in names[:6] for value in ("%00", "x" * 2_000, "", "-1")]
    queries += [f"{name}=1&{name}=2" for name in names[:3]]
    for query in queries:
        before = server.sandbox.snapshot()
        answer = server.send(row.method, next(places), query=query)
        assert answer.status < 500, (query, server.log[-1:])
        if answer.status >= 400:
            assert server.sandbox.snapshot() == before


MOMENTS = [
    pytest.param(row, one["name"], id=f"{row.name} {one['name']}")
    for row in ROWS
    for one in describe(row)["parameters"]
    if one["type"] == "moment"
]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize(("row", "name"), MOMENTS)
def test_moments_outside_the_calendar_of_utc_are_refused(
    row: Control, name: str, moment: str
) -> None:
    """Each parameter that is a moment names the problem, in a body and in a query."""
    server, place = Controlled(), next(paths(row, random.Random(1)))  # noqa: S311 - as above
    body = json.dumps({name: moment}).encode() if row.has_body else b""
    query = "" if row.has_body else urlencode({name: moment})
    answer = server.send(row.method, place, body, query=query)
    assert answer.status == 400, server.log
    problem = {"field": name, "expected": "a moment from the year 1 to 9999 in UTC"}
    assert problem in answer.json()["problems"]


def test_an_unknown_tenant_is_refused_by_every_control() -> None:
    """Before anything is done, with the nearest name."""
    server = Controlled()
    server.call("POST", "/tenants", name="first")
    before = [tenant.sandbox.snapshot() for tenant in server.tenants]
    odd = random.Random(5)  # noqa: S311 - as above
    for row in (row for row in ROWS if row.scope == "sandbox"):
        path = next(paths(row, odd))
        for name in ("frist", "%00", "..", "x" * 1_000, "\u540d\u524d"):
            answer = server.send(row.method, f"/tenants/{name}{path}")
            assert 400 <= answer.status < 500, (row.name, name)
        answer = server.send(row.method, f"/tenants/frist{path}")
        assert (answer.status, answer.json()["problems"][0]["field"]) == (404, "tenant"), row.name
    assert [tenant.sandbox.snapshot() for tenant in server.tenants] == before


@pytest.mark.parametrize("row", [row for row in ROWS if row.has_body], ids=lambda row: row.name)
def test_huge_and_deep_bodies_are_refused(row: Control) -> None:
    """By their size or depth, whatever members they have."""
    server = Controlled()
    before = server.sandbox.snapshot()
    names = [one["name"] for one in describe(row)["parameters"] if one["where"] != "path"]
    name, path = names[0] if names else "x", next(paths(row, random.Random(1)))  # noqa: S311 - as above
    long = b'"' + b"x" * min(row.max_body, 2_000_000) + b'"'
    deep = b"[" * 100_000 + b"]" * 100_000
    for value in (deep, long, b"9" * 5_000):
        answer = server.send(row.method, path, b'{"%s":%s}' % (name.encode(), value))
        assert 400 <= answer.status < 500, (row.name, value[:20], answer.status)
        assert len(answer.body) < 20_000
    assert server.sandbox.snapshot() == before
