"""Answers about another record than the requested one, or that hide a write that took effect."""

import re
from dataclasses import replace

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    HostileAnswer,
    Variant,
    error_answer,
)
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

RECORD_ID = re.compile(r"(?<=/)[0-9a-f]{24}(?=/|$)")
"""The id of a record in a path."""

_AFTER_THE_HOUR = 62 * 60
_MIRRORED = bytes.maketrans(b"0123456789abcdef", b"fedcba9876543210")


def _lost(context: AnswerContext) -> Response:
    context.honest()
    raise ConnectionFailure("reset")


def _postponed(context: AnswerContext) -> Response:
    context.honest()
    return error_answer(503, headers=(("retry-after", str(_AFTER_THE_HOUR)),))(context)


def _of_another(context: AnswerContext) -> Response:
    """The honest answer with each id of the request replaced by another."""
    response = context.honest()
    body = response.body
    for asked in RECORD_ID.findall(context.request.path):
        body = body.replace(asked.encode(), asked.encode().translate(_MIRRORED))
    return replace(response, body=body)


ANSWERS = (
    HostileAnswer(
        id="AR-20",
        title="a write takes effect, but its answer is lost or says to retry in 62 minutes",
        expects="within the hour a retry with the same key, none after it; one effect",
        source="guides: idempotency, in-memory cache of 1 h",
        variants=(
            Variant(name="answer lost", endpoint="write", make=_lost, times=1, expects="either",
                    processed=True),
            Variant(name="after the hour", endpoint="write", make=_postponed, times=1,
                    expects="either", processed=True),
        ),
    ),
    HostileAnswer(
        id="AR-34", title="a success about another record than the requested one",
        expects="an error of the client's own", source="CWE-345",
        variants=(Variant(name="another id", endpoint="record", make=_of_another),),
    ),
)  # fmt: skip
