from collections.abc import Iterator
from typing import Any

import pytest

from agency_directory import AgencyDirectory


@pytest.fixture
def pauses() -> list[float]:
    """The seconds for which a client would have slept."""
    return []


@pytest.fixture
def directory(turris: Any, pauses: list[float]) -> Iterator[AgencyDirectory]:  # noqa: ARG001 - opens the doors
    """A client of the sandbox that notes its pauses instead of sleeping."""
    with AgencyDirectory.from_env(sleep=pauses.append) as directory:
        yield directory


@pytest.fixture
def invitation() -> dict[str, Any]:
    """All that an invitation needs."""
    return {
        "name": "ABC Insurance Agency",
        "first_name": "Dana",
        "last_name": "Lee",
        "email": "dana.lee@abc.example",
    }
