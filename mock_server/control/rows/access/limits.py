"""Rate limits and idempotency keys: show, exhaust, move to an edge, forget."""

import datetime as dt
from typing import TYPE_CHECKING, cast

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Counted,
    Duration,
    Listing,
    Moment,
    Nothing,
    Parameters,
    Result,
)
from pytest_turris.core.middleware.limits import Bucket, RateWindowError
from pytest_turris.core.resources.record import UnknownRecordError

if TYPE_CHECKING:
    from pytest_turris.core.middleware.allowance import Allowance


class Window(Result):
    """What a credential has left in its rate window. Without calls, no window is open yet."""

    bucket: Bucket
    credential: str
    limit: int
    used: int
    remaining: int
    resets_at: Moment


class StoredAnswer(Result):
    """An answer that is kept for its idempotency key."""

    key: str
    credential: str
    operation: str
    stored_at: Moment
    status: int


class WindowOf(Parameters):
    """Whose window."""

    bucket: Bucket = Field("token", description="token requests, or writes.")
    credential: str | None = Field(
        None,
        max_length=200,
        description="A clientId or a masked restricted access token; the default client's.",
    )


class Exhaust(WindowOf):
    """Whose window, and how much is left of it."""

    leave: int = Field(0, ge=0, le=1_000_000, description="How many calls remain.")


class BeforeReset(WindowOf):
    """Whose window, and how long before its reset."""

    before: Duration = Field(
        dt.timedelta(seconds=1),
        le=dt.timedelta(minutes=1),
        description="How long before the reset; the clock runs on from there.",
        json_schema_extra={"default": 1},
    )


@control("limits", "show", "GET", "/limits", words=("limits",))
def _show(call: ControlCall, given: Nothing) -> Listing[Window]:
    """Show what each credential has left in its windows."""
    del given
    sandbox = call.tenant.sandbox
    names = [one.name for one in (*sandbox.credentials, *sandbox.credentials.restricted)]
    windows = [
        _window(call, bucket, name)
        for name in names
        for bucket in cast("tuple[Bucket, ...]", ("token", "write"))
    ]
    return Listing(total=len(windows), items=windows)


@control("limits", "exhaust", "POST", "/limits/exhaust", positional=("bucket",))
def exhaust(call: ControlCall, given: Exhaust) -> Window:
    """Use up a window, as if the calls had just been made."""
    whose = _credential(call, given)
    call.tenant.sandbox.limits.exhaust(given.bucket, whose, leave=given.leave)
    return _window(call, given.bucket, whose)


@control("limits", "to-window-start", "POST", "/limits/to-window-start", positional=("bucket",))
def to_window_start(call: ControlCall, given: WindowOf) -> Window:
    """Advance the clock until no call counts any more."""
    whose = _credential(call, given)
    call.tenant.sandbox.limits.to_window_start(given.bucket, whose)
    return _window(call, given.bucket, whose)


@control("limits", "to-before-reset", "POST", "/limits/to-before-reset", positional=("bucket",))
def to_before_reset(call: ControlCall, given: BeforeReset) -> Window:
    """Advance the clock to shortly before a window resets, so that its calls still count."""
    whose, sandbox = _credential(call, given), call.tenant.sandbox
    allowance = sandbox.limits.allowance(given.bucket, whose)
    if not allowance.used:
        raise RateWindowError("no window is open: make a call, or exhaust it first")
    ahead = allowance.resets_at - given.before - sandbox.clock.now()
    sandbox.clock.advance(max(ahead, dt.timedelta(0)))
    return _window(call, given.bucket, whose)


@control("limits", "reset", "POST", "/limits/reset")
def _reset(call: ControlCall, given: Nothing) -> Listing[Window]:
    """Forget every call: all windows are full again."""
    call.tenant.sandbox.limits.reset()
    return cast("Listing[Window]", _show.run(call, given))


@control("idempotency", "list", "GET", "/idempotency", words=("idempotency",))
def list_answers(call: ControlCall, given: Nothing) -> Listing[StoredAnswer]:
    """List the answers that are kept for their idempotency keys."""
    del given
    found = [
        StoredAnswer(
            key=key,
            credential=credential,
            operation=operation,
            stored_at=stored.at,
            status=stored.response.status,
        )
        for (credential, operation, key), stored in call.tenant.sandbox.idempotency
    ]
    return Listing(total=len(found), items=found)


@control("idempotency", "forget", "DELETE", "/idempotency")
def forget(call: ControlCall, given: Nothing) -> Counted:
    """Drop all stored answers, as a restart at Turris does."""
    del given
    idempotency = call.tenant.sandbox.idempotency
    count = len(list(idempotency))
    idempotency.forget()
    return Counted(count=count)


ROWS = (_show, exhaust, to_window_start, to_before_reset, _reset, list_answers, forget)


def _credential(call: ControlCall, given: WindowOf) -> str:
    """Return the credential of this name. A window of an unknown one would hide a mistake."""
    sandbox = call.tenant.sandbox
    if given.credential is None:
        return sandbox.client.client_id
    names = (one.name for one in (*sandbox.credentials, *sandbox.credentials.restricted))
    if given.credential not in names:
        raise UnknownRecordError("no credential with that id; list them with GET /credentials")
    return given.credential


def _window(call: ControlCall, bucket: Bucket, credential: str) -> Window:
    allowance: Allowance = call.tenant.sandbox.limits.allowance(bucket, credential)
    return Window(
        bucket=bucket,
        credential=credential,
        limit=allowance.limit,
        used=allowance.used,
        remaining=allowance.remaining,
        resets_at=allowance.resets_at,
    )
