"""The rows of a sandbox as a whole."""

import pytest
from doubles.controlled import Controlled, Refused

from pytest_turris.core.wire.messages import Request


@pytest.fixture
def controlled() -> Controlled:
    """A server with an empty sandbox."""
    return Controlled()


def test_named_data_is_added(controlled: Controlled) -> None:
    """The state counts what there is."""
    assert controlled.call("POST", "/sandbox/seed", name="small_agency")["records"]["agents"] == 3
    assert controlled.get("/sandbox")["records"]["regulatoryActions"] == 0
    with pytest.raises(Refused, match="did you mean 'messy'"):
        controlled.call("POST", "/sandbox/seed", name="mesy")


def test_an_agreement_is_executed(controlled: Controlled) -> None:
    """It happens once, and is an event."""
    association = controlled.call("POST", "/associations")["_id"]
    path = f"/associations/{association}/execute-agreement"
    controlled.call("POST", path)
    (event,) = controlled.get("/events", "kind=PRODUCER_AGREEMENT_EXECUTED")["items"]
    assert event["facts"]["downstreamEntityAssociationId"] == association
    with pytest.raises(Refused):
        controlled.call("POST", path)
    with pytest.raises(Refused, match="404"):
        controlled.call("POST", "/associations/unknown/execute-agreement")


def test_a_reset_brings_back_the_start(controlled: Controlled) -> None:
    """Everything is as it was, except that time went on; the credentials are the same."""
    before = controlled.sandbox.snapshot()
    controlled.call("POST", "/sandbox/seed", name="messy")
    controlled.call("POST", "/clock/advance", by="1d")
    controlled.sandbox.handle(Request(method="GET", path="/v1/nonsense", host="127.0.0.1"))
    controlled.sandbox.faults.add("list_agents", status=503)
    controlled.sandbox.tokens.issue(controlled.sandbox.client)
    assert controlled.sandbox.snapshot() != before
    controlled.call("POST", "/sandbox/reset")
    assert controlled.sandbox.snapshot() == before
    assert controlled.sandbox.strict_failures() == []
