"""Which ways the strangers' clients are tested in: one, or all of them (``make verdicts``)."""

import pytest
from strangers.clients.registry import BROKEN, CORRECT
from strangers.clients.ways import ways_of

from pytest_turris.conformance.rules import RULES
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE

_IN_ALL_WAYS = "Plain"
"""The design that ``make test`` has in all ways, so that each way is tested."""
_MARKS = {"TC-64": pytest.mark.turris(time_engine="time-machine")}
"""freezegun gives UTC for local time, so that no time zone can be seen."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--all-ways`` tests each client with both time engines, in process and over a socket."""
    parser.addoption("--all-ways", action="store_true", help="both engines, sockets too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each correct client and way, or for each bug and each check that names it."""
    every = bool(metafunc.config.getoption("--all-ways", default=False))
    if "correct" in metafunc.fixturenames:
        metafunc.parametrize(
            ("correct", "way"),
            [
                pytest.param(design, way, id=f"{design.name}-{way.name}", marks=way.mark)
                for design in CORRECT.values()
                for way in ways_of(design)[: None if every or design.name == _IN_ALL_WAYS else 1]
            ],
        )
    if "broken" in metafunc.fixturenames:
        metafunc.parametrize(
            ("broken", "check"),
            [
                pytest.param(
                    design, check, id=f"{design.name}-{check}", marks=_MARKS.get(check, ())
                )
                for design in BROKEN.values()
                for check in design.caught_by
                if check in RULES or check in CATALOGUE
            ],
        )
