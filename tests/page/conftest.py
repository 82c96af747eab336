"""A server with its page, and a browser of HTTP requests for it."""

from collections.abc import Iterator

import pytest
from doubles.served_here import served
from doubles.visitor import Visitor


@pytest.fixture(scope="module")
def log() -> list[str]:
    """What the server of the module logs."""
    return []


@pytest.fixture(scope="module")
def visitor(log: list[str]) -> Iterator[Visitor]:
    """A visitor who is signed in at a server of the module."""
    with served(log=log) as server:
        yield Visitor(server).signed_in()
