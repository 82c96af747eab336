"""The sandbox itself: what it offers besides its parts."""

import copy
import pickle
from collections.abc import Callable

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.sandbox import Sandbox


def test_refusals_after_a_mark_can_be_expected(client: Client) -> None:
    """Those before it fail the test, those after it do not."""
    client.get("/v1/nothing")
    mark = client.sandbox.journal.seen
    client.get("/v1/nothing/else")
    client.sandbox.expect_since(mark)
    (failure,) = client.sandbox.strict_failures()
    assert failure.startswith("1 request that Turris would not understand:\n")
    assert "/v1/nothing/else" not in failure


def test_a_sandbox_is_shown_by_its_client(sandbox: Sandbox) -> None:
    """With what it holds, and without a secret."""
    sandbox.agents.add()
    assert repr(sandbox) == (
        f"<Sandbox {sandbox.client.client_id}: 1 agent, 0 associations, 0 exchanges>"
    )


@pytest.mark.parametrize("part", ["agents", "faults", "journal", "tokens", "outbox"])
def test_a_copy_of_a_part_is_refused_with_the_way_that_works(part: str) -> None:
    """A part holds the lock of the whole sandbox."""
    with pytest.raises(TypeError, match=r"turris\.snapshot\(\)"):
        copy.deepcopy(getattr(Sandbox(), part))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_copy_of_a_sandbox_is_refused_with_the_way_that_works(
    copied: Callable[[object], object],
) -> None:
    """Before anything in it is copied; a shallow copy would share its state."""
    with pytest.raises(TypeError, match=r"turris\.snapshot\(\)"):
        copied(Sandbox())
