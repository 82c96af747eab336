"""Options and fixtures of the tests of attacks."""

from collections.abc import Iterator

import pytest
from doubles.mutation_record import Record


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--record-mutations`` writes the record; without it a run is held against the record."""
    parser.addoption(
        "--record-mutations", action="store_true", help="write tests/attacks/mutations.json"
    )


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Iterator[Record]:
    """The record; the option is unknown where this file is not loaded at first."""
    made = Record(writing=bool(pytestconfig.getoption("--record-mutations", default=False)))
    yield made
    made.save()
