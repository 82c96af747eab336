"""PostgreSQL for these tests: one server, and an empty database for each test."""

import os
from collections.abc import Iterator

import pytest
from doubles.postgres import PostgresServer, missing, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of PostgreSQL; the test is skipped without one, or fails where all are required."""
    if reason := missing():
        if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with running() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The connection URL of an empty database."""
    return postgres.new_database()
