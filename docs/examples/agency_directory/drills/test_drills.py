"""What only an audit asks for: the credentials are rotated, and revoked, between two calls."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agency_directory import AgencyDirectory


@pytest.fixture
def made(turris: Any) -> Iterator[Callable[[], AgencyDirectory]]:  # noqa: ARG001 - opens the doors
    """A factory for directories, as a start of the process makes them."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(AgencyDirectory.from_env())


def test_survives_a_rotation(turris_audit: Any, made: Callable[[], AgencyDirectory]) -> None:
    """A new secret is picked up by a restart."""
    turris_audit.rotation_drill(made().agents, new_client=lambda: made().agents)


def test_stops_when_revoked(turris_audit: Any, made: Callable[[], AgencyDirectory]) -> None:
    """With revoked credentials a call ends with an error, after one attempt."""
    turris_audit.revocation_drill(made().agents)
