"""Answers with false lengths, broken chunks or odd heads, and endless ones: bytes on a socket."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Literal

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    EndpointKind,
    Expectation,
    Variant,
)
from pytest_turris.core.faults.hostile.raw import RawAnswer, RawPart
from pytest_turris.core.wire.messages import Response

Script = Callable[[AnswerContext], Iterable[RawPart]]

_AN_HOUR = 3_600.0
_DRIP = 0.01
_DRIP_SEEMS = dt.timedelta(seconds=2)
"""Less than a usual timeout for one read: deadlines of event loops move with the clock."""


def _raw(
    name: str,
    script: Script,
    *,
    endpoint: EndpointKind = "api",
    expects: Expectation = "refuses",
    endless: Literal["", "silence", "bytes"] = "",
) -> Variant:
    def make(context: AnswerContext) -> Response:
        raise RawAnswer(script(context), context.max_seconds)

    return Variant(
        name=name, make=make, endpoint=endpoint, expects=expects, endless=endless,
        transport="socket",
    )  # fmt: skip


def _head(*fields: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, "content-type: application/json", *fields, "", ""]).encode()


def _off_by(difference: int) -> Script:
    def script(context: AnswerContext) -> Iterable[RawPart]:
        body = context.honest().body
        return [_head(f"content-length: {len(body) + difference}") + body]

    return script


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_PIECE = _chunk(b"0" * 65_536)


def _cut_chunk(context: AnswerContext) -> Iterable[RawPart]:
    return [_head("transfer-encoding: chunked") + _chunk(context.honest().body)[:-5]]


def _no_chunk_size(context: AnswerContext) -> Iterable[RawPart]:
    return [_head("transfer-encoding: chunked") + b"size\r\n" + context.honest().body]


def _endless_chunks(_: AnswerContext) -> Iterable[RawPart]:
    return chain([_head("transfer-encoding: chunked"), _chunk(b'{"data":"')], repeat(_PIECE))


def _endless_headers(_: AnswerContext) -> Iterable[RawPart]:
    return chain([_head()[:-2]], repeat(b"x-flood: %s\r\n" % (b"x" * 64) * 512))


def _http_1_0(context: AnswerContext) -> Iterable[RawPart]:
    return [_head(status="HTTP/1.0 200 OK") + context.honest().body]


def _silence_after(begun: bytes) -> Script:
    return lambda _: [begun, _AN_HOUR]


def _drip(context: AnswerContext) -> Iterator[RawPart]:
    """White space, byte by byte: long on the sandbox's clock, short in real time."""
    yield _head("content-length: 4096")
    while True:
        context.pass_time(_DRIP_SEEMS)
        yield b" "
        yield _DRIP


FALSE_LENGTHS = (
    _raw("length too long", _off_by(64)),
    _raw("length too short", _off_by(-9)),
    _raw("chunk cut off", _cut_chunk),
    _raw("no chunk size", _no_chunk_size),
)
ENDLESS_BODIES = (_raw("endless chunks", _endless_chunks, endless="bytes"),)
SLOW = (
    _raw("half-open", _silence_after(b""), endless="silence"),
    _raw("half-open, token", _silence_after(b""), endpoint="token", endless="silence"),
    _raw("slow headers", _silence_after(_head()[:-2]), endless="silence"),
    _raw("slow body", _drip, endless="bytes"),
)
ODD_HEADS = (
    _raw("100 Continue, then nothing", _silence_after(b"HTTP/1.1 100 Continue\r\n\r\n"),
         endless="silence"),
    _raw("HTTP/1.0", _http_1_0, expects="succeeds"),
    _raw("endless headers", _endless_headers, endless="bytes"),
)  # fmt: skip
