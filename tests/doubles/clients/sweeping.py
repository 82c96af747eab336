"""Runs one case against one client, and returns the verdict instead of failing."""

import asyncio
from typing import Any

from pytest_turris.conformance.case import ConformanceCase
from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.findings.check import Check
from pytest_turris.findings.verdict import Verdict

from .good_client import GoodClient
from .stacks import STACKS, AsyncStack, Stack

_OF_LOOPS = {"TC-66", "TC-67", "TC-69"}
NOT_OBSERVED = {
    "httpx": {"TC-43", *_OF_LOOPS},
    "httpx async": {"TC-44"},
    "requests": {"TC-19", "TC-32", "TC-38", "TC-43", "TC-57", *_OF_LOOPS},
    "aiohttp": {"TC-19", "TC-32", "TC-38", "TC-44", "TC-57"},
}
"""Cancelling needs an async client, a fork a sync one; over plain loopback there is no timeout,
downgrade or other environment."""


def examine(
    case: ConformanceCase, stack: str, client: type[GoodClient] = GoodClient, **how: Any
) -> Verdict:
    """The verdict of a token case or a hostile answer on a client on a stack."""
    kind = STACKS[stack]
    if kind.is_async:
        return asyncio.run(_aexamine(case, kind, client, **how))
    made: list[Stack] = []

    def new() -> Any:
        made.append(kind(client()))
        return made[-1].call

    call = new()
    try:
        return case.examine(_under_test(call, new, made[0], **how))
    finally:
        for stack_of in made:
            stack_of.close()


async def _aexamine(
    case: ConformanceCase, kind: Any, client: type[GoodClient], **how: Any
) -> Verdict:
    made: list[AsyncStack] = []

    def new() -> Any:
        made.append(kind(client()))
        return made[-1].call

    call = new()
    try:
        return await case.aexamine(_under_test(call, new, made[0], **how))
    finally:
        for stack_of in made:
            await stack_of.aclose()


def _under_test(call: Any, new: Any, stack: Stack, **how: Any) -> ClientUnderTest:
    return ClientUnderTest(
        call=call, new_client=new, write=stack.write, record=stack.record,
        operation=stack.operation, concurrency=50, **how,
    )  # fmt: skip


def caught(check: Check) -> str:
    """The outcome of a check that finds something."""
    return {"must": "failed", "should": "warned", "info": "noted"}[check.level]
