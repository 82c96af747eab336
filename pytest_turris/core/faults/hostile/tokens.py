"""Answers of the token endpoint that are no, or an odd, token."""

from dataclasses import replace
from typing import Any

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    HostileAnswer,
    Make,
    Variant,
    error,
)
from pytest_turris.core.wire.messages import Response, encode


def _token(value: Any) -> Make:  # noqa: ANN401 - any JSON value
    return lambda occasion: occasion.edited(accessToken=value)


def _status(status: int) -> Make:
    return lambda occasion: replace(occasion.honest(), status=status)


def _snake_case(occasion: AnswerContext) -> Response:
    data = occasion.document()["data"]
    return occasion.body(encode({"access_token": data["accessToken"], "token_type": "Bearer"}))


def _limited(occasion: AnswerContext) -> Response:
    fields = (("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "0"))
    reset = ("x-ratelimit-reset", occasion.seconds(60))
    return error(429, headers=(*fields, reset), errorType="rate_limit_exceeded")(occasion)


_NO_TOKENS = {"missing": ..., "null": None, "empty": "", "number": 12345678, "64 KB": "a" * 65_536}
_NOT_FOR_A_HEADER = {
    "CR LF": "abc\r\nx-evil: 1",
    "line feed": "abcdef\n",
    "non-ASCII": "abc\u2019def",
}

ANSWERS = (
    HostileAnswer(
        id="AR-01", title="200 where the documentation says 201, and the reverse",
        expects="any 2xx is a success", source="guides 3.2 and 3.6 of authentication",
        variants=(
            Variant(name="token 200", where="token", make=_status(200), expects="succeeds"),
            Variant(name="list 201", make=_status(201), expects="succeeds"),
        ),
    ),
    HostileAnswer(
        id="AR-02", title="the token is missing, null, empty, a number or 64 KB long",
        expects="an error of the client's own, nothing kept", source="RFC 6749, 5.1",
        variants=tuple(
            Variant(
                name=name, where="token", make=_token(value),
                expects="either" if name == "64 KB" else "refuses",
            )
            for name, value in _NO_TOKENS.items()
        ),
    ),
    HostileAnswer(
        id="AR-03", title="the token does not fit into a header",
        expects="refused, and not shown in the error", source="measured: httpx, requests, urllib",
        variants=tuple(
            Variant(name=name, where="token", make=_token(value))
            for name, value in _NOT_FOR_A_HEADER.items()
        ),
    ),
    HostileAnswer(
        id="AR-04", title="access_token at the top level, as the vendor's sample reads it",
        expects="an error of the client's own", source="reference: get-oauth-token, example",
        variants=(
            Variant(name="snake case", where="token", make=_snake_case, expects="either"),
        ),
    ),
    HostileAnswer(
        id="AR-32", title="429 at the token endpoint while the old token still holds",
        expects="the old token is used", source="botocore's advisory window",
        variants=(
            Variant(
                name="429", where="token", make=_limited, expects="succeeds", most=3, cached=True
            ),
        ),
    ),
)  # fmt: skip
