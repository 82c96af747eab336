"""With anyio's plugin, on asyncio and on trio."""

from typing import Any

import anyio
import pytest
from directory import AsyncDirectory

pytestmark = pytest.mark.anyio


async def test_all(turris: Any, turris_server: Any, turris_time: Any) -> None:
    """A frozen clock does not block the event loop."""
    directory = AsyncDirectory()
    with anyio.fail_after(7_200):
        async with directory.http:
            await directory.agents()
            turris_time.advance(minutes=56)
            await anyio.sleep(0.01)
            await directory.agents()
    assert turris.token_requests == 2
