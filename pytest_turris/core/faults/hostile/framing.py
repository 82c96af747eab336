"""Answers whose lengths, chunks or heads lie, or never end: written to a socket as bytes."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat

from pytest_turris.core.faults.hostile.answer import AnswerContext, Expectation, Variant, Where
from pytest_turris.core.faults.hostile.raw import Part, RawAnswer
from pytest_turris.core.wire.messages import Response

Write = Callable[[AnswerContext], Iterable[Part]]

_A_WHILE = 3_600.0
_DRIP = 0.05
_DRIP_SEEMS = dt.timedelta(seconds=10)


def _raw(
    name: str,
    write: Write,
    *,
    where: Where = "api",
    expects: Expectation = "refuses",
    endless: bool = False,
) -> Variant:
    def make(occasion: AnswerContext) -> Response:
        raise RawAnswer(write(occasion), occasion.max_seconds)

    return Variant(
        name=name, make=make, where=where, expects=expects, endless=endless, over="socket"
    )


def _head(*fields: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, "content-type: application/json", *fields, "", ""]).encode()


def _of_length(difference: int) -> Write:
    def write(occasion: AnswerContext) -> Iterable[Part]:
        body = occasion.honest().body
        return [_head(f"content-length: {len(body) + difference}") + body]

    return write


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


_PIECE = _chunk(b"0" * 65_536)


def _cut_chunk(occasion: AnswerContext) -> Iterable[Part]:
    return [_head("transfer-encoding: chunked") + _chunk(occasion.honest().body)[:-5]]


def _no_chunk_size(occasion: AnswerContext) -> Iterable[Part]:
    return [_head("transfer-encoding: chunked") + b"size\r\n" + occasion.honest().body]


def _endless_chunks(_: AnswerContext) -> Iterable[Part]:
    return chain([_head("transfer-encoding: chunked"), _chunk(b'{"data":"')], repeat(_PIECE))


def _endless_headers(_: AnswerContext) -> Iterable[Part]:
    return chain([_head()[:-2]], repeat(b"x-flood: %s\r\n" % (b"x" * 64) * 512))


def _old(occasion: AnswerContext) -> Iterable[Part]:
    return [_head(status="HTTP/1.0 200 OK") + occasion.honest().body]


def _silence_after(begun: bytes) -> Write:
    return lambda _: [begun, _A_WHILE]


def _drip(occasion: AnswerContext) -> Iterator[Part]:
    """White space, byte by byte: it takes long on the clock of a deadline, and little of ours."""
    yield _head("content-length: 4096")
    for byte in repeat(b" "):
        occasion.pass_time(_DRIP_SEEMS)
        yield byte
        yield _DRIP


FALSE_LENGTHS = (
    _raw("length too long", _of_length(64)),
    _raw("length too short", _of_length(-9)),
    _raw("chunk cut off", _cut_chunk),
    _raw("no chunk size", _no_chunk_size),
)
ENDLESS_BODIES = (_raw("endless chunks", _endless_chunks, endless=True),)
SLOW = (
    _raw("half-open", _silence_after(b""), endless=True),
    _raw("half-open, token", _silence_after(b""), where="token", endless=True),
    _raw("slow headers", _silence_after(_head()[:-2]), endless=True),
    _raw("slow body", _drip, endless=True),
)
ODD_HEADS = (
    _raw("100 Continue, then nothing", _silence_after(b"HTTP/1.1 100 Continue\r\n\r\n"),
         endless=True),
    _raw("HTTP/1.0", _old, expects="succeeds"),
    _raw("endless headers", _endless_headers, endless=True),
)  # fmt: skip
