"""Answers whose body or headers are not what a client expects to parse."""

import gzip
from dataclasses import replace

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    Expectation,
    HostileAnswer,
    Make,
    Variant,
    error,
)
from pytest_turris.core.faults.hostile.framing import ENDLESS_BODIES, FALSE_LENGTHS, ODD_HEADS
from pytest_turris.core.wire.messages import Fields, Response, encode

_HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"
_MEGABYTE = 1024 * 1024


def _body(body: bytes) -> Make:
    return lambda occasion: occasion.body(body)


def _typed(content_type: str) -> Make:
    return lambda occasion: replace(occasion.honest(), headers=(("content-type", content_type),))


def _truncated(occasion: AnswerContext) -> Response:
    return occasion.body(occasion.honest().body[:-3])


def _recoded(encoding: str) -> Make:
    return lambda occasion: occasion.body(occasion.honest().body.decode().encode(encoding))


def _encoded(body: bytes, encoding: str = "gzip") -> Make:
    return lambda occasion: Response(
        status=occasion.honest().status,
        headers=(("content-type", "application/json"), ("content-encoding", encoding)),
        body=body,
    )


def _huge(occasion: AnswerContext) -> Response:
    return occasion.body(b'{"data":"' + b"0" * (16 * _MEGABYTE) + b'"}')


def _bomb(occasion: AnswerContext) -> Response:
    bomb = gzip.compress(b'{"data":"' + b"0" * (16 * _MEGABYTE) + b'"}')
    return _encoded(bomb)(occasion)


def _with_headers(*fields: tuple[str, str]) -> Make:
    def make(occasion: AnswerContext) -> Response:
        honest = occasion.honest()
        return replace(honest, headers=(*honest.headers, *fields))

    return make


def _without_rate_headers(occasion: AnswerContext) -> Response:
    honest = occasion.honest()
    kept = tuple(field for field in honest.headers if not field[0].startswith("x-ratelimit"))
    return replace(honest, headers=kept)


def _enveloped(drop: tuple[str, ...] = (), **members: object) -> Make:
    def make(occasion: AnswerContext) -> Response:
        document = {k: v for k, v in occasion.document().items() if k not in drop}
        return occasion.body(encode(document | members))

    return make


def _status(status: int, body: bytes | None = b"") -> Make:
    return lambda occasion: replace(
        occasion.honest(), status=status, body=occasion.honest().body if body is None else body
    )


def _with_next(url: str) -> Make:
    def make(occasion: AnswerContext) -> Response:
        honest = occasion.honest()
        link = ("link", f'<{url}>; rel="next"')
        document = occasion.document() | {"next": url, "links": {"next": url}}
        return replace(honest, headers=(*honest.headers, link), body=encode(document))

    return make


def _variants(
    makers: dict[str, Make], expects: Expectation = "refuses", **rest: str
) -> tuple[Variant, ...]:
    return tuple(
        Variant(name=name, make=make, expects=_expectation(rest.get(name), expects))
        for name, make in makers.items()
    )


def _expectation(given: str | None, usual: Expectation) -> Expectation:
    return "either" if given == "either" else usual


_FLOOD: Fields = tuple((f"x-flood-{number}", "x" * 64) for number in range(1_000))

ANSWERS = (
    HostileAnswer(
        id="AR-05", title="HTML called JSON, and JSON called HTML",
        expects="an error of the client's own", source="RFC 9110, 8.3",
        variants=(
            Variant(name="HTML as JSON", make=_body(_HTML)),
            Variant(name="HTML as JSON, token", where="token", make=_body(_HTML)),
            Variant(name="JSON as HTML", make=_typed("text/html"), expects="either"),
        ),
    ),
    HostileAnswer(
        id="AR-06", title="invalid JSON, and JSON at the edge of validity",
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
        id="AR-07", title="a gzip bomb, an encoding or a length that is not the body's",
        expects="bounded, an error of the client's own", source="CWE-409; RFC 9112, 8",
        variants=(
            Variant(name="gzip bomb", make=_bomb),
            Variant(name="not gzip", make=_encoded(b'{"data":[]}')),
            *FALSE_LENGTHS,
        ),
    ),
    HostileAnswer(
        id="AR-08", title="a body of 16 MB, and one that never ends",
        expects="bounded, an error of the client's own", source="CWE-770",
        variants=(
            Variant(name="16 MB", make=_huge),
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
        id="AR-22", title="deprecation announced, and later 410",
        expects="the announcement changes nothing; 410 is final", source="guides: versioning",
        variants=(
            Variant(name="deprecated", expects="succeeds", make=_with_headers(
                ("deprecation", "true"), ("sunset", "Sat, 31 Dec 2039 23:59:59 GMT"),
                ("link", '<https://docs.turrisfi.com/migration>; rel="deprecation"'),
            )),
            Variant(name="410", make=error(410, errorType="not_found"), most=1),
        ),
    ),
    HostileAnswer(
        id="AR-23", title="envelopes as other pages print them",
        expects="data is read, absent members are tolerated", source="guides 4: they disagree",
        variants=_variants({
            "statusCode": _enveloped(statusCode=200),
            "no requestId": _enveloped(("requestId",)),
            "data alone": _enveloped(("requestId", "timestamp")),
            "new member": _enveloped(somethingNew={"a": 1}),
        }, "succeeds"),
    ),
    HostileAnswer(
        id="AR-24", title="no rate limit headers",
        expects="no dependence on them", source="guides: rate-limiting",
        variants=(
            Variant(name="token", where="token", make=_without_rate_headers, expects="succeeds"),
            Variant(name="api", make=_without_rate_headers, expects="succeeds"),
        ),
    ),
    HostileAnswer(
        id="AR-35", title="a cookie is set", level="should",
        expects="ignored: the API is stateless", source="RFC 6265",
        variants=(Variant(name="cookie", expects="succeeds", make=_with_headers(
            ("set-cookie", "hostile=1; Path=/"),
        )),),
    ),
    HostileAnswer(
        id="AR-37", title="a thousand headers, endless ones, 100 Continue and no more, HTTP/1.0",
        expects="bounded; an answer of HTTP/1.0 is read", source="CWE-770; RFC 9110, 2.5 and 15.2",
        variants=(
            Variant(name="1,000 headers", make=_with_headers(*_FLOOD), expects="either"),
            Variant(name="64 KB header", make=_with_headers(("x-long", "x" * 65_000)),
                    expects="either"),
            *ODD_HEADS,
        ),
    ),
    HostileAnswer(
        id="AR-38", title="a next page on another origin, or the same page forever",
        expects="a next page on another origin is not asked for; a loop ends",
        source="RFC 9700, 4.9",
        variants=(
            Variant(name="other origin", make=_with_next("https://pages.decoy.invalid/v1/agents"),
                    expects="either"),
            Variant(name="self-loop", make=lambda o: _with_next(o.request.target)(o),
                    expects="either"),
        ),
    ),
)  # fmt: skip
