"""With pytest-asyncio in its auto mode, without a marker."""

from typing import Any

from directory import AsyncDirectory


async def test_all(turris: Any, turris_time: Any) -> None:
    """An async test without a marker uses the fixtures."""
    directory = AsyncDirectory()
    async with directory.http:
        await directory.agents()
        turris_time.advance(minutes=56)
        await directory.agents()
    assert turris.token_requests == 2
