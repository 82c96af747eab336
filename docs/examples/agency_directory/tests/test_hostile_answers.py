"""The conformance sweep, and the complete catalogue of hostile answers, sync and async."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import count
from typing import Any

import pytest

from agency_directory import AgencyDirectory, AsyncAgencyDirectory, calls

MAX_SECONDS = 2.0
TIMEOUT = 0.25  # real seconds where nothing answers

IGNORED = {
    "TC-24": "settings are an argument: after a rotation, create a new directory",
    "TC-44": "a directory is created in the process that uses it",
    "TC-50": "a person sees that an invitation arrived twice; it does no harm",
}


@pytest.fixture
def made(turris: Any) -> Iterator[Callable[[], AgencyDirectory]]:  # noqa: ARG001 - opens the doors
    """A factory for directories that sleep on the sandbox's clock."""
    with ExitStack() as stack:
        # Looked up here, because time travel replaces time.sleep.
        yield lambda: stack.enter_context(
            AgencyDirectory.from_env(timeout=TIMEOUT, sleep=time.sleep)
        )


def probes(turris: Any, directory: Any, invitation: dict[str, Any]) -> dict[str, Any]:
    """The optional arguments of ``turris_hostile_answer``."""
    agent_id = turris.agents.add(npn="12345678").id
    numbers = count()
    return {
        "write": lambda: directory.invite_agency(**invitation | {"name": f"No. {next(numbers)}"}),
        "record": lambda: directory.agent(agent_id),
        "max_seconds": MAX_SECONDS,
    }


@pytest.fixture(params=["in process", "over a socket"])
def door(request: pytest.FixtureRequest) -> str:
    """Run in process and over a socket, which answers in raw bytes need."""
    if request.param == "over a socket":
        request.getfixturevalue("turris_server")
    return str(request.param)


@pytest.mark.usefixtures("door")
def test_copes(
    turris: Any, turris_hostile_answer: Any, made: Any, invitation: dict[str, Any]
) -> None:
    """Whatever the API answers, a call ends with a result or with an error of the directory."""
    directory = made()

    turris_hostile_answer.run(
        directory.agents,
        new_client=lambda: made().agents,
        **probes(turris, directory, invitation),
    )


@pytest.mark.usefixtures("door")
def test_copes_async(turris: Any, turris_hostile_answer: Any, invitation: dict[str, Any]) -> None:
    """So does a call of the async client."""

    async def main() -> None:
        async with AsyncExitStack() as stack:

            def make() -> AsyncAgencyDirectory:
                new = AsyncAgencyDirectory.from_env(timeout=TIMEOUT, sleep=asyncio.sleep)
                stack.push_async_callback(new.aclose)
                return new

            directory = make()
            await turris_hostile_answer.arun(
                directory.agents,
                new_client=lambda: make().agents,
                **probes(turris, directory, invitation),
            )

    asyncio.run(main())


@pytest.mark.turris(ignore=IGNORED)
def test_conforms(turris_token_case: Any, made: Any, invitation: dict[str, Any]) -> None:
    """The client follows the rules for tokens, except those that do not apply to it."""
    directory = made()

    def begin() -> Callable[[], object]:
        invitation_once = calls.invite_agency(**invitation)
        return lambda: directory.perform(invitation_once)

    turris_token_case.run(
        lambda: directory.agencies(npn="12345678"),
        new_client=lambda: made().agencies,
        write=lambda: directory.invite_agency(**invitation),
        operation=begin,
    )
