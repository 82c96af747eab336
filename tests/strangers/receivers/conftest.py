"""What a receiver needs has to be there, or the test says what is missing."""

import os

import pytest
from strangers.receivers.serving import missing
from strangers.receivers.stacks import STACKS


@pytest.fixture
def require() -> "Require":
    """Skips the test if the runtime of a stack is missing; fails where all are required."""
    return Require()


class Require:
    """Called with the name of a stack."""

    def __call__(self, name: str) -> None:
        """Skip, or fail if the environment says ``TURRIS_REQUIRE_ALL=1``."""
        if reason := missing(STACKS[name]):
            if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
                pytest.fail(f"{name}: {reason}")
            pytest.skip(reason)
