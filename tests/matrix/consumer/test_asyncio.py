"""With pytest-asyncio: an async test uses every fixture."""

import asyncio
from typing import Any

import pytest
from directory import AsyncDirectory

pytestmark = pytest.mark.asyncio


async def test_all(turris: Any, turris_server: Any, turris_time: Any) -> None:
    """A frozen clock does not block the event loop."""
    directory = AsyncDirectory()
    async with asyncio.timeout(7_200), directory.http:
        await directory.agents()
        turris_time.advance(minutes=56)
        await asyncio.sleep(0.01)
        await directory.agents()
    assert turris.token_requests == 2
