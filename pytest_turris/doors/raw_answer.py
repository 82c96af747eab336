"""Writes an answer of raw bytes to a socket: bounded, and ended when the client hangs up."""

import asyncio
from collections.abc import Callable

from pytest_turris.core.hostile.raw import RawAnswer

_TICK = 0.002


async def write(
    answer: RawAnswer, transport: asyncio.Transport, is_full: Callable[[], bool]
) -> None:
    """Write it, and close the connection: neatly if the script came to its own end.

    ``is_full`` tells whether the transport takes no more bytes for now.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + answer.patience
    for part in answer.parts():
        free = loop.time()
        if isinstance(part, bytes):
            transport.write(part)
        else:
            free += part
        while is_full() or loop.time() < free:
            if _is_over(answer, transport):
                return transport.abort()
            if loop.time() >= end:
                answer.exhausted = True
                return transport.abort()
            await asyncio.sleep(_TICK)
        if _is_over(answer, transport):
            return transport.abort()
    # Said before the client can know it: it looks at this once it has its outcome.
    answer.exhausted = True
    loop.call_later(answer.patience, transport.abort)
    return transport.close()


def _is_over(answer: RawAnswer, transport: asyncio.Transport) -> bool:
    return answer.stopped or transport.is_closing()
