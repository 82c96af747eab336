"""How a test moves the clock between rate windows."""

import datetime as dt

import pytest
from doubles.sandbox_client import NOW, Client

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox

MINUTE = dt.timedelta(minutes=1)
MILLISECOND = dt.timedelta(milliseconds=1)


@pytest.fixture(params=["fixed", "sliding"])
def busy(request: pytest.FixtureRequest) -> Client:
    """A client whose two token requests are ten seconds apart."""
    client = Client(Sandbox(Options(rate_window=request.param)))
    client.token()
    client.sandbox.clock.advance(seconds=10)
    client.token()
    return client


def test_to_window_start(busy: Client) -> None:
    """No past call counts; a sliding window ends a minute after its last call."""
    sandbox = busy.sandbox
    allowance = sandbox.limits.to_window_start()
    assert (allowance.used, allowance.remaining) == (0, 10)
    last = 0 if sandbox.options.rate_window == "fixed" else 10
    assert sandbox.clock.now() == NOW + MINUTE + dt.timedelta(seconds=last)


def test_a_fresh_window_stays_where_it_is(client: Client) -> None:
    """Without a call, the clock does not move."""
    assert client.sandbox.limits.to_window_start("write").used == 0
    assert client.sandbox.clock.now() == NOW


def test_to_just_before_reset(busy: Client) -> None:
    """A millisecond before the window resets, its calls still count."""
    sandbox = busy.sandbox
    assert sandbox.limits.to_just_before_reset().used == 2
    assert sandbox.clock.now() == NOW + MINUTE - MILLISECOND
    assert sandbox.limits.to_just_before_reset().used == 2
    assert sandbox.clock.now() == NOW + MINUTE - MILLISECOND
    sandbox.clock.advance(MILLISECOND)
    assert sandbox.limits.allowance("token", sandbox.client.client_id).used < 2


def test_there_is_no_reset_without_a_window(client: Client) -> None:
    """Without a call in the last minute, the message says how to open a window."""
    with pytest.raises(ValueError, match=r"no write window of turris_sandbox_client_\w+ is open"):
        client.sandbox.limits.to_just_before_reset("write")
