"""The saved states of a sandbox by name, and the one of its start."""

import datetime as dt
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pydantic_core import from_json, to_json

from mock_server.control.wire.errors import ControlError
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.option_data import data_of, options_from

if TYPE_CHECKING:
    from mock_server.store.kept_sandbox import KeptSandbox

_MOST = 100
_START = ""
"""The name of the state at the start. No caller can give this name."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state of a sandbox, packed.

    Args:
        name: Its name.
        at: When it was saved, on the sandbox's clock.
        packed: The snapshot.
    """

    name: str
    at: dt.datetime
    packed: bytes = field(repr=False)

    @classmethod
    def of(cls, sandbox: Sandbox, name: str) -> Self:
        """The state of a sandbox now."""
        packed = zlib.compress(to_json(sandbox.snapshot()), level=1)
        return cls(name, sandbox.clock.now(), packed)

    def restore(self, sandbox: Sandbox) -> None:
        """Restore a sandbox to the saved state."""
        sandbox.restore(from_json(zlib.decompress(self.packed)))


class SavedStates:
    """The saved states of one sandbox: in memory, or in the store if there is one.

    Args:
        sandbox: The sandbox, as it is at its start.
        kept: Its state in the store of the server.
    """

    def __init__(self, sandbox: Sandbox, kept: "KeptSandbox | None") -> None:
        self._sandbox = sandbox
        self._kept = kept
        self._states: dict[str, SavedState] = {}
        if not kept or _START not in self._all():
            self.begin()

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of SavedState
        return (state for name, state in self._all().items() if name != _START)

    def get(self, name: str) -> SavedState:
        """A saved state.

        Raises:
            UnknownRecordError: There is none of that name.
        """
        found = self._all().get(name) if name != _START else None
        if found is None:
            raise UnknownRecordError("no saved state of that name; list them with GET /snapshots")
        return found

    def save(self, name: str) -> SavedState:
        """Save the state under a name.

        Raises:
            ControlError: There are too many.
        """
        names = self._all().keys() - {_START}
        if name not in names and len(names) >= _MOST:
            raise ControlError(409, f"there are {_MOST} saved states; remove one first")
        return self._keep(SavedState.of(self._sandbox, name))

    def remove(self, name: str) -> None:
        """Forget a saved state.

        Raises:
            UnknownRecordError: There is none of that name.
        """
        self.get(name)
        if self._kept:
            self._kept.snapshots.forget(name)
        else:
            del self._states[name]

    def begin(self) -> None:
        """Make the present state and options those of the start."""
        options = data_of(self._sandbox.options, with_secrets=True)
        start = {"options": options, "state": self._sandbox.snapshot()}
        self._keep(SavedState(_START, self._sandbox.clock.now(), _pack(start)))

    def reset(self) -> None:
        """Reset the sandbox to its state at the start."""
        start = _unpack(self._all()[_START].packed)
        self._sandbox.change_options(options_from(start["options"]))
        self._sandbox.restore(start["state"])

    def _keep(self, state: SavedState) -> SavedState:
        if self._kept:
            self._kept.snapshots.save(state.name, state.at.isoformat(), state.packed)
        else:
            self._states[state.name] = state
        return state

    def _all(self) -> dict[str, SavedState]:
        if not self._kept:
            return self._states
        return {
            name: SavedState(name, dt.datetime.fromisoformat(at), packed)
            for name, at, packed in self._kept.snapshots.read()
        }


def _pack(data: Any) -> bytes:  # noqa: ANN401 - JSON
    return zlib.compress(to_json(data), level=1)


def _unpack(packed: bytes) -> Any:  # noqa: ANN401 - JSON
    return from_json(zlib.decompress(packed))
