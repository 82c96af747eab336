"""The history of a sandbox that a store keeps: each change is a step that can be gone back to."""

import os

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Duration, Limit, Listing, Moment, Name, Parameters, Result
from mock_server.control.rows.state.tenants import CreatedTenant, created
from mock_server.control.wire.errors import ControlError
from mock_server.store.errors import HistoryError
from mock_server.store.kept_sandbox import KeptSandbox
from pytest_turris.core.worlds import World

_NO_STORE = "this server keeps no history; start it with 'turris-sandbox serve --store FILE'"


class StepShown(Result):
    """One step: a request, a control, webhooks, or what became due as time passed."""

    number: int
    at: Moment
    what: str


class Steps(Parameters):
    """Which steps."""

    limit: Limit = Field(20, description="How many at most; the newest.")
    before: int | None = Field(None, ge=1, description="Only those before the step of this number.")


class StepNumber(Parameters):
    """Which step."""

    step: int = Field(ge=1, le=2**53, description="The number of the step.")


class Fork(StepNumber):
    """The step from which a tenant is made."""

    name: Name | None = Field(
        None, alias="as", description="The name of the new tenant; made if not given."
    )
    idle_limit: Duration | None = Field(
        None,
        description="Delete it after this long without a request; never if left out.",
    )


@control("history", "list", "GET", "/history", words=("history",))
def list_steps(call: ControlCall, given: Steps) -> Listing[StepShown]:
    """List the last steps, oldest first; 10,000 are kept."""
    kept = _kept(call)
    found = kept.history.steps(given.limit, before=given.before)
    items = [StepShown(number=step.number, at=step.at, what=step.what) for step in found]
    return Listing(total=kept.history.count(), items=items)


@control("history", "rewind", "POST", "/history/rewind", words=("rewind",), positional=("step",))
def _rewind(call: ControlCall, given: StepNumber) -> StepShown:
    """Restore the sandbox as it was after a step, at the time of that step.

    It is a step itself, so it can be taken back: rewind to the step before it. The journal stays.
    """
    kept = _kept(call)
    try:
        call.tenant.sandbox.faults.hang_up()
        call.tenant.audit.cut()
        step = kept.rewind(given.step)
    except HistoryError as error:
        raise ControlError(404, str(error)) from None
    return StepShown(number=step.number, at=step.at, what=step.what)


@control(
    "history",
    "fork",
    "POST",
    "/history/fork",
    words=("fork",),
    status=201,
    issues=True,
    positional=("step",),
)
def _fork(call: ControlCall, given: Fork) -> CreatedTenant:
    """Make a new tenant from the state after a step, at the time of that step.

    The sandbox itself goes on. The tenant has credentials of its own, and the options that the
    sandbox has now.
    """
    world = world_after(call, given.step, with_secrets=False)
    name = given.name or f"step-{given.step}-{os.urandom(3).hex()}"
    return created(call.tenants.create(name, world.options, given.idle_limit, world.load_into))


ROWS = (list_steps, _rewind, _fork)


def world_after(call: ControlCall, number: int, *, with_secrets: bool) -> World:
    """Return the state of the sandbox after a step, at its time.

    Raises:
        ControlError: There is no such step.
    """
    try:
        step, state = _kept(call).state_at(number)
    except HistoryError as error:
        raise ControlError(404, str(error)) from None
    about, options = f"step {number}: {step.what}", call.tenant.sandbox.options
    return World.at_moment(step.at, state, options, about=about, with_secrets=with_secrets)


def _kept(call: ControlCall) -> KeptSandbox:
    if call.tenant.kept is None:
        raise ControlError(409, _NO_STORE)
    return call.tenant.kept
