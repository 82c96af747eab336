"""``turris.fresh()``: nothing of a block is left."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_turris.core.checks.fresh_state import StrictFailureError
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

SHARED = Sandbox()


def refused(sandbox: Sandbox) -> int:
    """The status of a path that Turris does not have."""
    request = Request(method="GET", path="/v1/nothing", host="public.api.sandbox.turrisfi.com")
    return sandbox.handle(request).status


def spend(sandbox: Sandbox) -> None:
    """Use up the allowance of writes."""
    sandbox.limits.exhaust("write", sandbox.client.client_id)


@given(npns=st.lists(st.text("0123456789", min_size=5, max_size=10), unique=True, max_size=4))
@settings(max_examples=20, deadline=None)
def test_each_example_begins_alike(npns: list[str]) -> None:
    """Records, limits, journal, clock and ids: an example sees nothing of the one before."""
    before = SHARED.snapshot()
    with SHARED.fresh():
        assert len(SHARED.agents) == 0
        assert SHARED.journal.seen == 0
        for npn in npns:
            SHARED.agents.add(npn=npn)
        spend(SHARED)
        SHARED.clock.advance(dt.timedelta(minutes=len(npns)))
        SHARED.faults.add("list_agents", status=503, optional=True)
        with SHARED.expect_refusal():
            refused(SHARED)
        assert len(SHARED.agents) == len(npns)
    assert SHARED.snapshot() == before


def test_a_block_that_fails_is_undone_too() -> None:
    """Its own error is the one that is seen."""
    sandbox = Sandbox()
    with pytest.raises(ZeroDivisionError), sandbox.fresh():
        assert refused(sandbox) / len(sandbox.agents)
    assert len(sandbox.agents) == 0
    assert sandbox.strict_failures() == []


def test_unexpected_refusals_fail_the_block() -> None:
    """They are not lost with the journal, and do not fail the test a second time."""
    sandbox = Sandbox()
    words = "1 request that Turris would not understand"
    with pytest.raises(StrictFailureError, match=words), sandbox.fresh():
        refused(sandbox)
    assert sandbox.strict_failures() == []
    with Sandbox(Options(fail_on_refusal=False)).fresh():
        pass


def test_refusals_before_the_block_fail_the_test_alone() -> None:
    """The block is not blamed for them, and they are not forgotten."""
    sandbox = Sandbox()
    refused(sandbox)
    with sandbox.fresh():
        pass
    assert len(sandbox.strict_failures()) == 1


def test_unused_faults_fail_the_block_that_scripted_them() -> None:
    """Those of the whole test need not fire in each block, and are still expected to."""
    sandbox = Sandbox()
    sandbox.faults.add("list_agents", status=503)
    with sandbox.fresh():
        pass
    assert len(sandbox.strict_failures()) == 1
    words = "1 scripted fault that never fired"
    with pytest.raises(StrictFailureError, match=words), sandbox.fresh():
        sandbox.faults.add("create_agent", status=503)
    assert len(tuple(sandbox.faults)) == 1
