"""Answers whose body or headers are not what a client expects."""

import gzip
from dataclasses import replace

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    AnswerMaker,
    Expectation,
    HostileAnswer,
    Variant,
    error_answer,
)
from pytest_turris.core.faults.hostile.framing import ENDLESS_BODIES, FALSE_LENGTHS, ODD_HEADS
from pytest_turris.core.faults.hostile.next_pages import with_cursor, with_next_page
from pytest_turris.core.wire.messages import Fields, Response, encode

_HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"
_MEGABYTE = 1024 * 1024


def _body(body: bytes) -> AnswerMaker:
    return lambda context: context.body(body)


def _typed(content_type: str) -> AnswerMaker:
    return lambda context: replace(context.honest(), headers=(("content-type", content_type),))


def _truncated(context: AnswerContext) -> Response:
    return context.body(context.honest().body[:-3])


def _recoded(encoding: str) -> AnswerMaker:
    return lambda context: context.body(context.honest().body.decode().encode(encoding))


def _encoded(body: bytes, encoding: str = "gzip") -> AnswerMaker:
    return lambda context: Response(
        status=context.honest().status,
        headers=(("content-type", "application/json"), ("content-encoding", encoding)),
        body=body,
    )


def _long(context: AnswerContext) -> bytes:
    """The honest answer with white space after it: only its size is odd."""
    return context.honest().body + b" " * (16 * _MEGABYTE)


def _huge(context: AnswerContext) -> Response:
    return context.body(_long(context))


def _bomb(context: AnswerContext) -> Response:
    return _encoded(gzip.compress(_long(context)))(context)


def _with_headers(*fields: tuple[str, str]) -> AnswerMaker:
    def make(context: AnswerContext) -> Response:
        honest = context.honest()
        return replace(honest, headers=(*honest.headers, *fields))

    return make


def _without_rate_headers(context: AnswerContext) -> Response:
    honest = context.honest()
    kept = tuple(field for field in honest.headers if not field[0].startswith("x-ratelimit"))
    return replace(honest, headers=kept)


def _enveloped(drop: tuple[str, ...] = (), **members: object) -> AnswerMaker:
    def make(context: AnswerContext) -> Response:
        document = {k: v for k, v in context.document().items() if k not in drop}
        return context.body(encode(document | members))

    return make


def _status(status: int, body: bytes | None = b"") -> AnswerMaker:
    return lambda context: replace(
        context.honest(), status=status, body=context.honest().body if body is None else body
    )


def _with_next(url: str) -> AnswerMaker:
    return lambda context: with_next_page(context.honest(), url)


def _self_loop(context: AnswerContext) -> Response:
    return with_cursor(with_next_page(context.honest(), context.request.target), "again")


def _variants(
    makers: dict[str, AnswerMaker], expects: Expectation = "refuses"
) -> tuple[Variant, ...]:
    return tuple(Variant(name=name, make=make, expects=expects) for name, make in makers.items())


_FLOOD: Fields = tuple((f"x-flood-{number}", "x" * 64) for number in range(1_000))

ANSWERS = (
    HostileAnswer(
        id="AR-05", title="HTML called JSON, and JSON called HTML",
        expects="an error of the client's own", source="RFC 9110, 8.3",
        variants=(
            Variant(name="HTML as JSON", make=_body(_HTML)),
            Variant(name="HTML as JSON, token", endpoint="token", make=_body(_HTML)),
            Variant(name="JSON as HTML", make=_typed("text/html"), expects="either"),
        ),
    ),
    HostileAnswer(
        id="AR-06", title="invalid JSON, and JSON on the edge of it",
        expects="an error of the client's own, never RecursionError or ValueError",
        source="RFC 8259; measured with json",
        variants=(
            *_variants({
                "truncated": _truncated,
                "empty body": _body(b""),
                "deep nesting": _body(b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
                "5,000 digits": _body(b'{"data":' + b"9" * 5_000 + b"}"),
                "null": _body(b"null"),
                "array": _body(b"[]"),
            }),
            *_variants({
                "byte order mark": _recoded("utf-8-sig"),
                "UTF-16": _recoded("utf-16"),
                "duplicate keys": _body(b'{"data":[],"data":[]}'),
                "NaN": _body(b'{"data":[],"count":NaN}'),
            }, "either"),
        ),
    ),
    HostileAnswer(
        id="AR-07", title="a gzip bomb, or an encoding or a length that is not the body's",
        expects="an error of the client's own; a size limit, too", source="CWE-409; RFC 9112, 8",
        variants=(
            Variant(name="gzip bomb", make=_bomb, expects="either", large=True),
            # A client that decodes nothing reads honest JSON: RFC 9110, 8.4, leaves that open.
            Variant(name="not gzip", make=_encoded(b'{"data":[]}'), expects="either"),
            *FALSE_LENGTHS,
        ),
    ),
    HostileAnswer(
        id="AR-08", title="a body of 16 MB, and an endless one",
        expects="a size limit, and an error of the client's own", source="CWE-770",
        variants=(
            Variant(name="16 MB", make=_huge, expects="either", large=True),
            *ENDLESS_BODIES,
        ),
    ),
    HostileAnswer(
        id="AR-09", title="204, 206 or 304 without a reason",
        expects="an error of the client's own", source="RFC 9110, 15.3.5 and 15.4.5",
        variants=(
            Variant(name="204", make=_status(204)),
            Variant(name="304", make=_status(304)),
            Variant(name="206", make=_status(206, b'{"data":[')),
        ),
    ),
    HostileAnswer(
        id="AR-22", title="a deprecation, and later a 410",
        expects="the deprecation changes nothing; the 410 is final", source="guides: versioning",
        variants=(
            Variant(name="deprecated", expects="succeeds", make=_with_headers(
                ("deprecation", "true"), ("sunset", "Sat, 31 Dec 2039 23:59:59 GMT"),
                ("link", '<https://docs.turrisfi.com/migration>; rel="deprecation"'),
            )),
            Variant(name="410", make=error_answer(410, errorType="not_found"), max_requests=1),
        ),
    ),
    HostileAnswer(
        id="AR-23", title="the envelopes of other pages",
        expects="data is read; missing members are tolerated", source="guides 4: they disagree",
        variants=_variants({
            "statusCode": _enveloped(statusCode=200),
            "no requestId": _enveloped(("requestId",)),
            "data alone": _enveloped(("requestId", "timestamp")),
            "new member": _enveloped(somethingNew={"a": 1}),
        }, "succeeds"),
    ),
    HostileAnswer(
        id="AR-24", title="no rate limit headers",
        expects="the client does not depend on them", source="guides: rate-limiting",
        variants=(
            Variant(name="token", endpoint="token", make=_without_rate_headers, expects="succeeds"),
            Variant(name="api", make=_without_rate_headers, expects="succeeds"),
        ),
    ),
    HostileAnswer(
        id="AR-35", title="an answer sets a cookie", level="should",
        expects="the cookie is ignored: the API is stateless", source="RFC 6265",
        variants=(Variant(name="cookie", expects="succeeds", make=_with_headers(
            ("set-cookie", "hostile=1; Path=/"),
        )),),
    ),
    HostileAnswer(
        id="AR-37", title="a thousand headers, endless headers, only 100 Continue, HTTP/1.0",
        expects="over a socket a size limit; an HTTP/1.0 answer is read",
        source="CWE-770; RFC 9110, 2.5 and 15.2",
        variants=(
            Variant(name="1,000 headers", make=_with_headers(*_FLOOD), expects="either"),
            Variant(name="64 KB header", make=_with_headers(("x-long", "x" * 65_000)),
                    expects="either"),
            *ODD_HEADS,
        ),
    ),
    HostileAnswer(
        id="AR-38", title="a next page on another origin, or the same page forever",
        expects="no request to another origin; a loop ends",
        source="RFC 9700, 4.9",
        variants=(
            Variant(name="other origin", make=_with_next("https://pages.decoy.invalid/v1/agents"),
                    expects="either"),
            Variant(name="self-loop", make=_self_loop,
                    expects="either"),
        ),
    ),
)  # fmt: skip
