"""The sweep and the whole catalogue of hostile answers, with ``await`` and without."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from itertools import count
from typing import Any

import pytest

from agency_directory import AgencyDirectory, AsyncAgencyDirectory, calls

PATIENCE = 2.0
TIMEOUT = 0.25  # where nothing answers it really passes

IGNORED = {
    "TC-24": "settings are an argument: whoever rotates a secret makes a directory anew",
    "TC-40": "one process is not alone: the limit is kept by waiting as a 429 says",
    "TC-44": "a directory is made in the process that uses it",
    "TC-50": "an invitation that arrives twice is seen by a person, and does no harm",
}


@pytest.fixture
def made(turris: Any) -> Iterator[Callable[[], AgencyDirectory]]:  # noqa: ARG001 - opens the doors
    """Makes directories that sleep on the sandbox's clock."""
    with ExitStack() as stack:
        # Asked for here: under time travel it is another function than it was at import.
        yield lambda: stack.enter_context(
            AgencyDirectory.from_env(timeout=TIMEOUT, sleep=time.sleep)
        )


def probes(turris: Any, directory: Any, invitation: dict[str, Any]) -> dict[str, Any]:
    """What the fixtures ask for beside a call."""
    agent_id = turris.agents.add(npn="12345678").id
    numbers = count()
    return {
        "write": lambda: directory.invite_agency(**invitation | {"name": f"No. {next(numbers)}"}),
        "record": lambda: directory.agent(agent_id),
        "patience": PATIENCE,
    }


@pytest.fixture(params=["in process", "over a socket"])
def door(request: pytest.FixtureRequest) -> str:
    """Answers of raw bytes need a socket."""
    if request.param == "over a socket":
        request.getfixturevalue("turris_server")
    return str(request.param)


@pytest.mark.usefixtures("door")
def test_copes(
    turris: Any, turris_hostile_answer: Any, made: Any, invitation: dict[str, Any]
) -> None:
    """Whatever the API answers, the directory comes back, with a result or an error of its own."""
    directory = made()

    turris_hostile_answer.run(
        directory.agents,
        new_client=lambda: made().agents,
        **probes(turris, directory, invitation),
    )


@pytest.mark.usefixtures("door")
def test_copes_async(turris: Any, turris_hostile_answer: Any, invitation: dict[str, Any]) -> None:
    """So does the asynchronous one."""

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
    """The token is handled as the rules say, but for those that are another's matter."""
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
