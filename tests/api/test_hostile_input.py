"""Hostile input to every operation: an answer or a 4xx in Turris' shape, never anything else."""

import json
from typing import Any

import pytest
from doubles.api_recipes import Sent, World, as_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS

LONG_NUMBER = "9" * 5_000
HOSTILE: list[Any] = [
    None,
    True,
    LONG_NUMBER,
    -1,
    1e308,
    "",
    "\x00",
    "../../etc/passwd",
    "' OR 1=1 --",
    "x" * 20_000,
    "\u202e\U0001f600",
    [],
    [[[]]],
    {},
    {"$ne": None},
]
ENCODED = [
    "%00",
    "..%2f..",
    "%ff",
    "a%0d%0ab",
    "x" * 5_000,
    "NaN",
    "1e999",
    "%F0%9F%98%80",
    LONG_NUMBER,
]
WORLD = World()
WORLD.sandbox.uploads.cancel(WORLD.upload)
PRISTINE = WORLD.sandbox.snapshot()
WORLD.sandbox.restore(PRISTINE)


@pytest.fixture(autouse=True)
def still_time() -> None:
    """Let time pass, unlike in other tests of the core: the world is made before each test."""


def answered(sent: Sent) -> int:
    """The status of the answer, after a check of its shape."""
    response = WORLD.sandbox.handle(as_request(sent))
    if response.status >= 400:
        assert response.status < 500
        document = response.json()
        assert document["statusCode"] == response.status
        assert document["errorMessage"]
        assert WORLD.sandbox.snapshot()["entity"] == PRISTINE["entity"]
    else:
        WORLD.sandbox.restore(PRISTINE)
    WORLD.sandbox.limits.reset()
    WORLD.sandbox.journal.clear()
    return response.status


def replaced(good: Sent, body: object) -> Sent:
    """The request with another body."""
    text = body if isinstance(body, bytes) else _dumped(body)
    return Sent(good.method, good.target, good.headers, text)


def _dumped(document: object) -> bytes:
    # json.dumps itself stops at 4,300 digits.
    text = json.dumps(document)
    return text.replace(f'"{LONG_NUMBER}"', LONG_NUMBER).encode()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_member_with_every_hostile_value(operation: Operation) -> None:
    """Types swapped, huge, unicode, control characters, numbers of 5,000 digits."""
    good = WORLD.request(operation)
    if operation.body is not None:
        document = json.loads(good.body)
        for field in operation.body.model_fields.values():
            for value in HOSTILE:
                answered(replaced(good, document | {str(field.alias): value}))
        for value in HOSTILE:
            answered(replaced(good, value))
    path, _, query = good.target.partition("?")
    for value in ENCODED:
        if operation.query is not None:
            for field in operation.query.model_fields.values():
                target = f"{path}?{query}&{field.alias}={value}"
                answered(Sent(good.method, target, good.headers, good.body))
        for identifier in WORLD.ids.values():
            if identifier in path:
                target = f"{path.replace(identifier, value)}?{query}"
                assert answered(Sent(good.method, target, good.headers, good.body)) in (400, 404)


@settings(max_examples=40, deadline=None)
@given(
    operation=st.sampled_from(OPERATIONS), body=st.binary(max_size=200), query=st.text(max_size=40)
)
def test_any_bytes_at_all(operation: Operation, body: bytes, query: str) -> None:
    """Any body and any query."""
    good = WORLD.request(operation)
    answered(Sent(good.method, f"{good.target.partition('?')[0]}?{query}", good.headers, body))
