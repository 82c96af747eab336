"""The saved states of a sandbox by name, in memory or in the store. A name is never a path."""

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Listing, Moment, Name, Nothing, Parameters, Result
from mock_server.control.rows.state.sandbox import SandboxState, state_of
from mock_server.control.saved_states import SavedState


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
    found = [_shown(saved) for saved in call.tenant.saved]
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
    """Save the state under a name, in place of an earlier one of that name."""
    return _shown(call.tenant.saved.save(given.name))


@control("snapshots", "restore", "POST", "/snapshots/{name}/restore", words=("snapshot", "restore"))
def restore(call: ControlCall, given: SnapshotName) -> SandboxState:
    """Restore a saved state; the options stay as they are."""
    call.tenant.restore(call.tenant.saved.get(given.name))
    return state_of(call)


@control(
    "snapshots", "remove", "DELETE", "/snapshots/{name}", status=204, words=("snapshot", "remove")
)
def _remove(call: ControlCall, given: SnapshotName) -> None:
    """Forget a saved state."""
    call.tenant.saved.remove(given.name)


ROWS = (list_snapshots, save, restore, _remove)


def _shown(saved: SavedState) -> SnapshotShown:
    return SnapshotShown(name=saved.name, at=saved.at, bytes=len(saved.packed))
