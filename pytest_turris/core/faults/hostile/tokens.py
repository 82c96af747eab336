"""Answers of the token endpoint with a broken token, or without one."""

from dataclasses import replace
from typing import Any

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    AnswerMaker,
    HostileAnswer,
    Variant,
    error_answer,
)
from pytest_turris.core.wire.messages import Response, encode


def _token(value: Any) -> AnswerMaker:  # noqa: ANN401 - any JSON value
    return lambda context: context.edited(accessToken=value)


def _status(status: int) -> AnswerMaker:
    return lambda context: replace(context.honest(), status=status)


def _snake_case(context: AnswerContext) -> Response:
    data = context.document()["data"]
    return context.body(encode({"access_token": data["accessToken"], "token_type": "Bearer"}))


def _limited(context: AnswerContext) -> Response:
    fields = (("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "0"))
    reset = ("x-ratelimit-reset", context.seconds(60))
    return error_answer(429, headers=(*fields, reset), errorType="rate_limit_exceeded")(context)


_BROKEN_TOKENS = {
    "missing": ...,
    "null": None,
    "empty": "",
    "number": 12345678,
    "64 KB": "a" * 65_536,
}
_UNFIT_FOR_A_HEADER = {
    "CR LF": "abc\r\nx-evil: 1",
    "line feed": "abcdef\n",
    "non-ASCII": "abc\u2019def",
}

ANSWERS = (
    HostileAnswer(
        id="AR-01", title="200 where the documentation says 201, and vice versa",
        expects="any 2xx is a success", source="guides 3.2 and 3.6 of authentication",
        variants=(
            Variant(name="token 200", endpoint="token", make=_status(200), expects="succeeds"),
            Variant(name="list 201", make=_status(201), expects="succeeds"),
        ),
    ),
    HostileAnswer(
        id="AR-02", title="the token is missing, null, empty, a number or 64 KB long",
        expects="an error of the client's own; nothing is cached", source="RFC 6749, 5.1",
        variants=tuple(
            Variant(
                name=name, endpoint="token", make=_token(value),
                expects="either" if name == "64 KB" else "refuses",
            )
            for name, value in _BROKEN_TOKENS.items()
        ),
    ),
    HostileAnswer(
        id="AR-03", title="the token does not fit in a header",
        expects="the token is refused, and the error does not show it",
        source="measured: httpx, requests, urllib",
        variants=tuple(
            Variant(name=name, endpoint="token", make=_token(value))
            for name, value in _UNFIT_FOR_A_HEADER.items()
        ),
    ),
    HostileAnswer(
        id="AR-04", title="access_token at the top level, as the vendor's sample reads it",
        expects="an error of the client's own", source="reference: get-oauth-token, example",
        variants=(
            Variant(name="snake case", endpoint="token", make=_snake_case, expects="either"),
        ),
    ),
    HostileAnswer(
        id="AR-32", title="429 at the token endpoint while the old token is still valid",
        expects="the old token is used", level="should",
        source="botocore's advisory window; neither Turris nor RFC 6749 asks for it",
        variants=(
            Variant(
                name="429", endpoint="token", make=_limited, expects="succeeds",
                max_requests=3, cached=True,
            ),
        ),
    ),
)  # fmt: skip
