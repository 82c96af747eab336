"""A state of a sandbox that is kept under a name."""

import datetime as dt
import zlib
from dataclasses import dataclass, field
from typing import Self

from pydantic_core import from_json, to_json

from pytest_turris.core.sandbox import Sandbox


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
        """Let a sandbox become what was saved."""
        sandbox.restore(from_json(zlib.decompress(self.packed)))
