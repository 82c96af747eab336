"""Advice reaches a shell and a client in any language in their words."""

import re
from collections.abc import Callable

import pytest
from doubles.controlled import Controlled, Refused

from pytest_turris.core.faults.fault import FaultError
from pytest_turris.core.wire.messages import Request

OF_PYTHON = re.compile(
    r"\bturris\.|turris_time|\w+\(.*=|=True|=False|timedelta|@pytest|_[a-z]+=|run\("
)


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


def refused(controlled: Controlled, path: str, **members: object) -> str:
    """The words with which a control is refused."""
    with pytest.raises(Refused) as error:
        controlled.call("POST", path, **members)
    return str(error.value)


def of_a_refusal(controlled: Controlled) -> str:
    """What a test would fail with after a request that Turris would not understand."""
    controlled.sandbox.handle(Request(method="GET", path="/v1/nonsense", host="127.0.0.1"))
    return str(controlled.get("/journal/failures")["failures"])


def of_a_fault(controlled: Controlled) -> str:
    """What a test would fail with after a fault that never fired."""
    controlled.call("POST", "/faults", operation="list_agents", status=500)
    return str(controlled.get("/journal/failures")["failures"])


def of_an_assertion(controlled: Controlled) -> str:
    """Why an assertion does not hold about which nothing is shown."""
    return str(controlled.get("/assertions/refreshed-within-buffer")["message"])


def of_a_contact(controlled: Controlled) -> str:
    """Why an association has no second primary contact."""
    one = controlled.call("POST", "/associations")["_id"]
    return refused(controlled, "/contacts", downstreamEntityAssociationId=one, isPrimary=True)


def of_a_hostile_answer(controlled: Controlled) -> str:
    """Why a connection that fails is not scripted."""
    return refused(controlled, "/faults/hostile", name="AR-36")


def of_a_processed_request(controlled: Controlled) -> str:
    """Why a request without a connection takes no effect."""
    fault = {"operation": "list_agents", "error": "connect", "processed": True}
    return refused(controlled, "/faults", **fault)


@pytest.mark.parametrize(
    ("said", "command"),
    [
        (of_a_refusal, "'turris-sandbox journal expect', or relax it: 'turris-sandbox options"),
        (of_a_fault, "Add it with --optional ('optional' in JSON), or relax it: 'turris-sandbox"),
        (of_an_assertion, "run 'turris-sandbox clock to-refresh-point --plus 1ms'"),
        (of_a_contact, "'turris-sandbox update associations ID firstName=..."),
        (
            of_a_hostile_answer,
            "Only a test in pytest can give it, with the fixture turris_hostile_answer",
        ),
        (of_a_processed_request, "needs a connection; use the error 'reset'"),
    ],
)
def test_advice_is_that_of_a_shell(
    controlled: Controlled, said: Callable[[Controlled], str], command: str
) -> None:
    """It names the command that does it, and nothing of Python."""
    words = said(controlled)
    assert command in words
    assert not OF_PYTHON.search(words), words


def test_the_catalogue_says_what_can_be_scripted(controlled: Controlled) -> None:
    """What it says of each hostile answer is what happens."""
    for one in controlled.get("/faults/catalogue")["items"]:
        try:
            controlled.sandbox.faults.hostile(one["id"])
            was_scripted = True
        except FaultError:
            was_scripted = False
        assert one["canBeScripted"] == was_scripted, one["id"]
