"""A client of the sandbox that does not really sleep, and the data of an invitation."""

from collections.abc import Iterator
from typing import Any

import pytest

from agency_directory import AgencyDirectory


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that a client would have slept."""
    return []


@pytest.fixture
def directory(turris: Any, pauses: list[float]) -> Iterator[AgencyDirectory]:  # noqa: ARG001 - opens the doors
    """A client of the sandbox that records its pauses instead of sleeping."""
    with AgencyDirectory.from_env(sleep=pauses.append) as directory:
        yield directory


@pytest.fixture
def invitation() -> dict[str, Any]:
    """The arguments of an invitation."""
    return {
        "name": "ABC Insurance Agency",
        "first_name": "Dana",
        "last_name": "Lee",
        "email": "dana.lee@abc.example",
    }
