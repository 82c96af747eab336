"""Saved states of a sandbox, in memory and by name. A name is a key, and never a path."""

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Listing, Moment, Name, Nothing, Parameters, Result
from mock_server.control.rows.state.sandbox import SandboxState, state_of
from mock_server.control.saved_state import SavedState
from pytest_turris.core.resources.record import UnknownRecordError


class SnapshotShown(Result):
    """A saved state: when it was saved on the sandbox's clock, and its size in memory."""

    name: str
    at: Moment
    bytes: int


class SnapshotName(Parameters):
    """Which saved state."""

    name: Name = Field(description="The name of the saved state.")


@control("snapshots", "list", "GET", "/snapshots", words=("snapshots",))
def list_snapshots(call: ControlCall, given: Nothing) -> Listing[SnapshotShown]:
    """List the saved states, oldest first."""
    del given
    found = [_shown(saved) for saved in call.tenant.snapshots.values()]
    return Listing(total=len(found), items=found)


@control(
    "snapshots",
    "save",
    "POST",
    "/snapshots",
    status=201,
    words=("snapshot", "save"),
    positional=("name",),
)
def save(call: ControlCall, given: SnapshotName) -> SnapshotShown:
    """Save the state under a name; the one of that name before is replaced."""
    return _shown(call.tenant.save(given.name))


@control("snapshots", "restore", "POST", "/snapshots/{name}/restore", words=("snapshot", "restore"))
def restore(call: ControlCall, given: SnapshotName) -> SandboxState:
    """Become what was saved; the options stay as they are."""
    call.tenant.restore(_saved(call, given.name))
    return state_of(call)


@control(
    "snapshots", "remove", "DELETE", "/snapshots/{name}", status=204, words=("snapshot", "remove")
)
def remove(call: ControlCall, given: SnapshotName) -> None:
    """Forget a saved state."""
    del call.tenant.snapshots[_saved(call, given.name).name]


ROWS = (list_snapshots, save, restore, remove)


def _saved(call: ControlCall, name: str) -> SavedState:
    saved = call.tenant.snapshots.get(name)
    if saved is None:
        raise UnknownRecordError("no saved state of that name; list them with GET /snapshots")
    return saved


def _shown(saved: SavedState) -> SnapshotShown:
    return SnapshotShown(name=saved.name, at=saved.at, bytes=len(saved.packed))
