"""Writes an answer of raw bytes to a socket: bounded, and ended when the client hangs up."""

import asyncio
from collections.abc import AsyncIterator, Callable

from pytest_turris.core.faults.hostile.raw import Part, RawAnswer

_TICK = 0.002


class Streamed(RawAnswer):
    """One whose script is elsewhere: parts arrive when asked for, and its end is told."""

    def __init__(self, timeout: float) -> None:
        super().__init__((), timeout)

    def arriving(self) -> AsyncIterator[Part]:
        """What is written."""
        raise NotImplementedError

    async def tell(self) -> None:
        """Tell how it ended, before the client can know."""
        raise NotImplementedError


async def write(
    answer: RawAnswer, transport: asyncio.Transport, is_full: Callable[[], bool]
) -> None:
    """Write it, and close the connection: neatly if the script came to its own end.

    ``is_full`` tells whether the transport takes no more bytes for now.
    """
    complete = await _written(answer, transport, is_full)
    if isinstance(answer, Streamed):
        await answer.tell()
    if not complete:
        return transport.abort()
    asyncio.get_running_loop().call_later(answer.timeout, transport.abort)
    return transport.close()


async def _written(
    answer: RawAnswer, transport: asyncio.Transport, is_full: Callable[[], bool]
) -> bool:
    """Whether the script came to its own end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + answer.timeout
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
    # Said before the client can know it: it looks at this once it has its outcome.
    answer.exhausted = True
    return True


async def _parts(answer: RawAnswer) -> AsyncIterator[Part]:
    if isinstance(answer, Streamed):
        async for part in answer.arriving():
            yield part
    else:
        for part in answer.parts():
            yield part


def _is_over(answer: RawAnswer, transport: asyncio.Transport) -> bool:
    return answer.stopped or transport.is_closing()
