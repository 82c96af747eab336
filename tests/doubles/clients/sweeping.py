"""Runs one case against one client, and gives the verdict instead of failing."""

import asyncio
from typing import Any

from pytest_turris.conformance.errors import Verdict
from pytest_turris.conformance.harness import Subject

from .good_client import GoodClient
from .stacks import STACKS, AsyncStack, Stack

NOT_OBSERVED = {
    "httpx": {"TC-43"},
    "httpx async": {"TC-44"},
    "requests": {"TC-19", "TC-32", "TC-38", "TC-43"},
    "aiohttp": {"TC-19", "TC-32", "TC-38", "TC-44"},
}
"""Cancelling needs an async client, a fork a sync one; over plain loopback there is no timeout,
downgrade or other environment."""


def examine(case: Any, stack: str, client: type[GoodClient] = GoodClient, **how: Any) -> Verdict:
    """The verdict of a token case or a hostile case about a client on a stack."""
    kind = STACKS[stack]
    if kind.is_async:
        return asyncio.run(_aexamine(case, kind, client, **how))
    made: list[Stack] = []

    def new() -> Any:
        made.append(kind(client()))
        return made[-1].call

    call = new()
    try:
        verdict: Verdict = case.examine(_subject(call, new, made[0]), **how)
        return verdict
    finally:
        for stack_of in made:
            stack_of.close()


async def _aexamine(case: Any, kind: Any, client: type[GoodClient], **how: Any) -> Verdict:
    made: list[AsyncStack] = []

    def new() -> Any:
        made.append(kind(client()))
        return made[-1].call

    call = new()
    try:
        verdict: Verdict = await case.aexamine(_subject(call, new, made[0]), **how)
        return verdict
    finally:
        for stack_of in made:
            await stack_of.aclose()


def _subject(call: Any, new: Any, stack: Stack) -> Subject:
    return Subject(
        call=call, new_client=new, write=stack.write, record=stack.record,
        operation=stack.operation, concurrency=50,
    )  # fmt: skip
