"""Answers about something else than was asked for, or that hide what was done."""

import re
from dataclasses import replace

from pytest_turris.core.faults.hostile.answer import AnswerContext, HostileAnswer, Variant, error
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response

RECORD_ID = re.compile(r"(?<=/)[0-9a-f]{24}(?=/|$)")
"""The id of a record, as it stands in a path."""

_AFTER_THE_HOUR = 62 * 60
_MIRRORED = bytes.maketrans(b"0123456789abcdef", b"fedcba9876543210")


def _lost(occasion: AnswerContext) -> Response:
    occasion.honest()
    raise ConnectionFailure("reset")


def _postponed(occasion: AnswerContext) -> Response:
    occasion.honest()
    return error(503, headers=(("retry-after", str(_AFTER_THE_HOUR)),))(occasion)


def _of_another(occasion: AnswerContext) -> Response:
    """The honest answer, but each id that was asked for is another one."""
    response = occasion.honest()
    body = response.body
    for asked in RECORD_ID.findall(occasion.request.path):
        body = body.replace(asked.encode(), asked.encode().translate(_MIRRORED))
    return replace(response, body=body)


ANSWERS = (
    HostileAnswer(
        id="AR-20", title="a write takes effect, its answer is lost or says: again in 62 minutes",
        expects="within the hour the same key, after it none: the write has one effect",
        source="guides: idempotency, in-memory cache of 1 h",
        variants=(
            Variant(name="answer lost", where="write", make=_lost, times=1, expects="either",
                    processed=True),
            Variant(name="after the hour", where="write", make=_postponed, times=1,
                    expects="either", processed=True),
        ),
    ),
    HostileAnswer(
        id="AR-34", title="a success about another record than was asked for",
        expects="an error of the client's own", source="CWE-345",
        variants=(Variant(name="another id", where="record", make=_of_another),),
    ),
)  # fmt: skip
