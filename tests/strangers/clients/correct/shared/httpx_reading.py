"""Bodies of httpx, with a limit on their size and on the time they take."""

import contextlib
import time
from collections.abc import AsyncGenerator
from typing import cast

import httpx
from strangers.clients.correct.shared.answers import (
    MAX_BYTES,
    ConnectionLostError,
    UnreadableAnswerError,
)

PLAIN = {"accept": "application/json", "accept-encoding": "identity"}


def read(response: httpx.Response, seconds: float) -> bytes:
    """Raises UnreadableAnswerError or ConnectionLostError: too long, too slow, or cut off."""
    parts, deadline = bytearray(), time.monotonic() + seconds
    _check_encoding(response)
    try:
        for part in response.iter_raw():
            parts += part
            _check(parts, deadline)
    except httpx.HTTPError as error:
        raise ConnectionLostError(type(error).__name__) from None
    return bytes(parts)


async def aread(response: httpx.Response) -> bytes:
    """The same for an async answer; the caller limits the time."""
    parts = bytearray()
    _check_encoding(response)
    try:
        parts_of = cast("AsyncGenerator[bytes, None]", response.aiter_raw())
        async with contextlib.aclosing(parts_of) as body:
            async for part in body:
                parts += part
                _check(parts, float("inf"))
    except httpx.HTTPError as error:
        raise ConnectionLostError(type(error).__name__) from None
    return bytes(parts)


def _check(parts: bytearray, deadline: float) -> None:
    if len(parts) > MAX_BYTES:
        raise UnreadableAnswerError("the answer is too large")
    if time.monotonic() > deadline:
        raise ConnectionLostError("the answer takes too long")


def _check_encoding(response: httpx.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise UnreadableAnswerError("we asked for no encoding")
