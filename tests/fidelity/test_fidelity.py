"""The running sandbox says what the documentation says, in process and over a socket."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import get_args

import pytest
from doubles.sandbox_client import NOW
from tables.shapes import models_in

from fidelity.checking import CHECKS, problem, wrong
from fidelity.doors import in_process, over_a_socket, receiver_in_process, receiver_on_a_socket
from fidelity.specification import Fact, facts, pages, samples
from fidelity.world import World
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.clock import Clock
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server

FEWEST = 600
"""The number of facts that the pages were read for."""

pytestmark = pytest.mark.turris(unknown_fields="refused", fail_on_refusal=False)


@pytest.fixture(autouse=True)
def still_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a check moves the sandbox's clock."""
    now = NOW.astimezone(dt.UTC)
    monkeypatch.setattr(Clock, "process_time", staticmethod(lambda: now))


def facts_of(page: str) -> list[Fact]:
    """The facts that one page says."""
    return [fact for fact in facts() if fact.page == page]


@pytest.mark.parametrize("page", pages())
def test_in_process(
    page: str, turris: Sandbox, record_property: Callable[[str, object], None]
) -> None:
    """Each fact of the page holds through a client library."""
    with receiver_in_process() as receiver:
        world = World(turris, in_process(turris.base_url), receiver)
        report(page, world, record_property, "in process")


@pytest.mark.parametrize("page", pages())
def test_over_a_socket(
    page: str, turris_server: Server, record_property: Callable[[str, object], None]
) -> None:
    """Each fact of the page holds over a socket."""
    with receiver_on_a_socket() as receiver:
        world = World(turris_server.sandbox, over_a_socket(turris_server.base_url), receiver)
        report(page, world, record_property, "over a socket")


def report(
    page: str, world: World, record_property: Callable[[str, object], None], door: str
) -> None:
    """Hold the facts of a page against the sandbox; those that do not hold fail the test."""
    asked = facts_of(page)
    problems = [text for fact in asked if (text := problem(world, fact))]
    record_property("documented facts", (door, len(asked) - len(problems), len(asked)))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("page", pages())
def test_a_wrong_fact_fails(page: str, turris: Sandbox) -> None:
    """Each fact, made wrong, fails its check: none of them holds by accident."""
    with receiver_in_process() as receiver:
        world = World(turris, in_process(turris.base_url), receiver)
        passed = [str(one) for one in map(wrong, facts_of(page)) if not problem(world, one)]
        assert not passed, "\n".join(passed)


def test_there_are_enough_facts_and_each_has_a_check() -> None:
    """None of them twice, and none of a kind that nothing checks."""
    texts = Counter(map(str, facts()))
    assert len(facts()) >= FEWEST
    assert {fact.kind for fact in facts()} == set(CHECKS)
    assert [text for text, number in texts.items() if number > 1] == []


def test_every_documented_operation_is_in_the_facts() -> None:
    """With its status; the order of its members, where the page shows an answer."""
    known = {fact.request for fact in facts() if fact.kind == "status"}
    asked = {
        f"{operation.method} {operation.path}"
        for operation in OPERATIONS
        if operation.documented and operation.provenance == "documented"
    }
    assert asked <= known | {"GET /v1/auth/test-oauth"}


def test_an_optional_member_that_no_sample_has_is_never_null() -> None:
    """Whatever the option ``optional_fields`` is: each answer that has the name of its sample."""
    known = {
        model.__name__: model
        for operation in OPERATIONS
        if operation.answer is not None
        for model in models_in(operation.answer)
    }
    without_sample = {
        (name, member)
        for name, model in known.items()
        for member, field in model.model_fields.items()
        if type(None) in get_args(field.annotation)
        and member not in model.internal_fields | model.never_null
        and (field.alias or member) not in samples().get(name, {field.alias or member})
    }
    assert "AgentEntry" in known.keys() & samples().keys()
    assert without_sample == set()
