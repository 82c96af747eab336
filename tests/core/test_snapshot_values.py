"""Each value of a snapshot is refused, or restored as it is."""

import datetime as dt
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from doubles.sandbox_client import Client
from doubles.sandbox_steps import took
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.options import option_types
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.worlds import World

STEPS = [
    *("webhook", "add agent at an agency", "expiring", "invite by key", "rotate", "restricted"),
    *("upload", "sync", "look up", "agreement", "test event", "deliver", "fail to deliver"),
    *("resend", "hostile", "fault", "reset", "list", "pass time", "upload", "sync"),
]
OTHERS: tuple[object, ...] = (
    None,
    True,
    0,
    1,
    -1,
    1.0,
    1e-7,
    8.64e13,
    "",
    "1",
    "-1.5",
    "true",
    "2025-01-15",
    [],
    {},
)
Place = tuple[str | int, ...]


@cache
def whole() -> str:
    """A snapshot, as JSON, in which each kind of state is there."""
    client = Client(Sandbox(name="whole"))
    client.token()
    client.sandbox.seed("messy")
    took(client, STEPS)
    return json.dumps(client.sandbox.snapshot())


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """The places of all values that hold no others."""
    if isinstance(value, dict | list) and value:
        rows = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in rows:
            yield from places(member, (*place, name))
    else:
        yield place


def one_of_each_kind() -> list[Place]:
    """The places in the whole snapshot, of which equal members of equal rows are one."""
    snapshot = json.loads(whole())
    del snapshot["version"]
    kinds = {
        (*("#" if isinstance(part, int) else part for part in place),): place
        for place in places(snapshot)
    }
    return list(kinds.values())


def exact(data: object) -> str:
    """JSON data as a text, in which 1 and 1.0 are one number, and True is another value."""
    return json.dumps(json.loads(json.dumps(data), parse_int=float), sort_keys=True)


def replaced(place: Place, value: object) -> dict[str, Any]:
    """The whole snapshot with another value at a place."""
    snapshot: dict[str, Any] = json.loads(whole())
    *path, last = place
    owner: Any = snapshot
    for part in path:
        owner = owner[part]
    owner[last] = value
    return snapshot


@settings(max_examples=400, deadline=None)
@given(
    place=st.deferred(lambda: st.sampled_from(one_of_each_kind())), other=st.sampled_from(OTHERS)
)
def test_any_value_is_refused_or_restored_as_it_is(place: Place, other: object) -> None:
    """None is read as something else: no number as a moment, no text as a number."""
    snapshot, sandbox = replaced(place, other), Sandbox()
    try:
        sandbox.restore(snapshot)
    except SnapshotError:
        return
    assert exact(sandbox.snapshot()) == exact(snapshot)


@pytest.mark.parametrize(
    ("place", "other", "message"),
    [
        (("faults", 2, "error"), None, "a fault needs a status, an error or a delay"),
        (("faults", 1, "status"), 200, "status=200 is not an error status"),
        (("faults", 1, "operation"), "list_agent", "no operation 'list_agent'; did you mean"),
        (("faults", 1, "delay"), 0.5, "faults.1.delay: Input should be a multiple of 1"),
        (("faults", 0, "status"), 500, "a hostile answer is whole"),
        (("faults", 0, "delay"), -1, "is negative"),
        (("entity", "appointments", 0, "renewal_date"), -1, "renewal_date: must be a moment in"),
        (("entity", "appointments", 0, "renewal_date"), "1", "renewal_date: must be a moment in"),
        (("entity", "appointments", 0, "renewal_date"), 8.64e13, "renewal_date: must be a moment"),
        (("entity", "policies", 0, "is_deleted"), 0, "is_deleted: Input should be a valid bool"),
        (
            ("entity", "policies", 0, "premium_amount_in_usd"),
            "1",
            "premium_amount_in_usd.int: Input",
        ),
        (("entity", "uploads", 0, "total_rows"), True, "total_rows: Input should be a valid int"),
        (
            ("entity", "npns", 0, "busy_until"),
            "",
            "entity.npns: the first row must have busy_until",
        ),
        (("entity", "npns", 0, "busy_until"), "2025-01-15", "the first row must have busy_until"),
        (("credentials", "clients", 0, "previous_secret"), "", "previous_secret: String should"),
        (("journal", "exchanges", 0, "number"), 0, "number: Input should be greater than"),
    ],
)
def test_value_that_fits_its_type_only_by_coercion_is_refused(
    place: Place, other: object, message: str
) -> None:
    """The message has its place or its record, and nothing is changed."""
    sandbox = Sandbox()
    before = sandbox.snapshot()
    with pytest.raises(SnapshotError, match=f"^not a whole snapshot: .*{message}"):
        sandbox.restore(replaced(place, other))
    assert sandbox.snapshot() == before


def test_duration_among_the_options_of_a_file_is_a_number() -> None:
    """True is not a second."""
    for name in (name for name, kind in option_types().items() if kind is dt.timedelta):
        document = json.loads(World.of(Sandbox()).to_json()) | {"options": {name: True}}
        with pytest.raises(SnapshotError, match=f"^not a whole world: .*'{name}'"):
            World.read(json.dumps(document).encode())
