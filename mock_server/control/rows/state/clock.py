"""The clock of a sandbox: show it, and move it."""

import datetime as dt

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Duration, Moment, Nothing, Parameters, Result, no_time
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.clock import ClockError, later
from pytest_turris.core.resources.record import UnknownRecordError

_EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
"""Far from the year 9999, the last one that a datetime can have."""

_YEAR = dt.timedelta(days=366)


class ClockState(Result):
    """The time of a sandbox.

    ``aheadSeconds`` is its lead over the time of the server, negative if it is behind.
    ``newestToken`` has the moments of the token issued last, if there is one.
    """

    now: Moment
    ahead_seconds: float
    newest_token: "TokenMoments | None"


class TokenMoments(Result):
    """When a token was issued, should be replaced, and expires."""

    token_id: str
    issued_at: Moment
    refresh_at: Moment
    expires_at: Moment


class AdvanceClock(Parameters):
    """How far to advance."""

    by: Duration = Field(description="How much time passes.")


class MoveClock(Parameters):
    """Where to move."""

    to: Moment = Field(description="The moment, with its zone, such as 2026-03-01T12:00:00Z.")


class ToTokenMoment(Parameters):
    """Which moment of which token."""

    plus: Duration = no_time("How much later, a year at most.", at_most=_YEAR)
    minus: Duration = no_time("How much earlier, a year at most.", at_most=_YEAR)
    token_id: str | None = Field(
        None, max_length=64, description="The token's jti; the newest token by default."
    )


@control("clock", "show", "GET", "/clock", words=("clock",))
def _show(call: ControlCall, given: Nothing) -> ClockState:
    """Show the time of the sandbox, and the moments of its newest token."""
    del given
    return _state_of(call)


@control("clock", "advance", "POST", "/clock/advance", positional=("by",))
def advance(call: ControlCall, given: AdvanceClock) -> ClockState:
    """Let time pass for the sandbox."""
    clock = call.tenant.sandbox.clock
    _check(later(clock.now(), given.by))
    clock.advance(given.by)
    call.tenant.sandbox.settle()
    return _state_of(call)


@control("clock", "move", "POST", "/clock/move", positional=("to",))
def move(call: ControlCall, given: MoveClock) -> ClockState:
    """Set the clock of the sandbox, forward or back."""
    return _moved(call, given.to)


@control("clock", "to-refresh-point", "POST", "/clock/to-refresh-point")
def to_refresh_point(call: ControlCall, given: ToTokenMoment) -> ClockState:
    """Move to where a client may still use its token for the last time: 55:00 after its issue."""
    buffer = call.tenant.sandbox.options.refresh_buffer
    point = _token(call, given).expires_at - buffer
    return _moved(call, later(point, given.plus) - given.minus)


@control("clock", "to-expiry", "POST", "/clock/to-expiry")
def to_expiry(call: ControlCall, given: ToTokenMoment) -> ClockState:
    """Move to the moment from which a token is refused."""
    return _moved(call, later(_token(call, given).expires_at, given.plus) - given.minus)


@control("clock", "back-to-now", "POST", "/clock/back-to-now")
def back_to_now(call: ControlCall, given: Nothing) -> ClockState:
    """Set the clock of the sandbox to the time of the server."""
    del given
    call.tenant.sandbox.clock.offset = dt.timedelta(0)
    return _state_of(call)


ROWS = (_show, advance, move, to_refresh_point, to_expiry, back_to_now)


def _state_of(call: ControlCall) -> ClockState:
    """The time of the sandbox."""
    sandbox = call.tenant.sandbox
    newest = sandbox.tokens.newest
    return ClockState(
        now=sandbox.clock.now(),
        ahead_seconds=round(sandbox.clock.offset.total_seconds(), 3),
        newest_token=_moments(newest, sandbox.options.refresh_buffer) if newest else None,
    )


def _moved(call: ControlCall, moment: dt.datetime) -> ClockState:
    _check(moment)
    clock = call.tenant.sandbox.clock
    ahead = moment - clock.now()
    if ahead > dt.timedelta(0):
        clock.advance(ahead)
    else:
        clock.move_to(moment)
    call.tenant.sandbox.settle()
    return _state_of(call)


def _check(moment: dt.datetime) -> None:
    if not _EARLIEST <= moment <= _LATEST:
        raise ClockError(f"the clock moves from {_EARLIEST:%Y} to {_LATEST:%Y}, and not beyond")


def _token(call: ControlCall, given: ToTokenMoment) -> AccessToken:
    tokens = call.tenant.sandbox.tokens
    if given.token_id is not None:
        for token in tokens:
            if token.jti == given.token_id:
                return token
        raise UnknownRecordError("no token with that tokenId; list them with GET /tokens")
    if tokens.newest is None:
        raise ClockError("no token was issued yet: let the client make a call first")
    return tokens.newest


def _moments(token: AccessToken, buffer: dt.timedelta) -> TokenMoments:
    return TokenMoments(
        token_id=token.jti,
        issued_at=token.issued_at,
        refresh_at=token.expires_at - buffer,
        expires_at=token.expires_at,
    )
