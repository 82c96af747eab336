"""Ways to test a client: with which time engine, and whether over a socket."""

from dataclasses import dataclass
from typing import Literal

import pytest
from strangers.clients.design import Design


@dataclass(frozen=True)
class Way:
    """One time engine, in process or over a socket."""

    engine: Literal["freezegun", "time-machine"]
    socket: bool = False

    @property
    def name(self) -> str:
        """As it stands in the id of a test and in the table."""
        return f"{self.engine} over a socket" if self.socket else self.engine

    @property
    def mark(self) -> pytest.MarkDecorator:
        """What a test writes to choose the engine."""
        return pytest.mark.turris(time_engine=self.engine)


def ways_of(design: Design) -> tuple[Way, ...]:
    """The fastest first; a library that is not answered in process needs a socket.

    freezegun looks at each module that is loaded: in a worker that has run all tests, at 5,000.
    """
    over_socket = (Way("time-machine", socket=True), Way("freezegun", socket=True))
    if design.socket:
        return over_socket
    return (Way("time-machine"), Way("freezegun"), over_socket[1])
