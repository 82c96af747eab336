"""Writes an answer of raw bytes to a socket: bounded, and ended when the client disconnects."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable

from pytest_turris.core.faults.hostile.raw import RawAnswer, RawPart

_TICK = 0.002


class StreamedAnswer(RawAnswer, ABC):
    """A raw answer that another process produces, part by part."""

    def __init__(self, max_seconds: float) -> None:
        super().__init__((), max_seconds)

    @abstractmethod
    def stream(self) -> AsyncIterator[RawPart]:
        """The parts to write, in order."""

    @abstractmethod
    async def finished(self) -> None:
        """Report how the answer ended, before the client can observe that end."""


async def write(
    answer: RawAnswer, transport: asyncio.Transport, is_full: Callable[[], bool]
) -> None:
    """Write an answer and close the connection: gracefully if the script came to its own end.

    Args:
        answer: What to write.
        transport: The connection.
        is_full: Whether the transport accepts no more bytes for now.
    """
    loop = asyncio.get_running_loop()
    complete = await _written(answer, transport, is_full)
    if isinstance(answer, StreamedAnswer):
        await answer.finished()
    if complete:
        loop.call_later(answer.max_seconds, transport.abort)
        transport.close()
    else:
        transport.abort()
    loop.call_soon(answer.close)  # the transport closes the socket in the callback before


async def _written(
    answer: RawAnswer, transport: asyncio.Transport, is_full: Callable[[], bool]
) -> bool:
    """Write it; return whether the script came to its own end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + answer.max_seconds
    async for part in _parts(answer):
        free = loop.time()
        if isinstance(part, bytes):
            transport.write(part)
        else:
            free += part
        while is_full() or loop.time() < free:
            if _is_over(answer, transport):
                return False
            if loop.time() >= end:
                answer.exhausted = True
                return False
            await asyncio.sleep(_TICK)
        if _is_over(answer, transport):
            return False
    # Set before the client can observe the end: the test reads it once the client is done.
    answer.exhausted = True
    return True


async def _parts(answer: RawAnswer) -> AsyncIterator[RawPart]:
    if isinstance(answer, StreamedAnswer):
        async for part in answer.stream():
            yield part
    else:
        for part in answer.parts():
            yield part


def _is_over(answer: RawAnswer, transport: asyncio.Transport) -> bool:
    return answer.stopped or transport.is_closing()
