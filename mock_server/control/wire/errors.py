"""The refusals of the control API, in one shape.

::

    {"statusCode": 400, "errorType": "invalid_input",
     "errorMessage": ["by: expected a duration: seconds, or text such as 56m"],
     "problems": [{"field": "by", "expected": "a duration: ..."}]}

The first three members are those of Turris' own errors. An answer never has values that a caller
sent, and only names that are plain identifiers.
"""

import re
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from pytest_turris.core.text.redaction import redact
from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, NO_SNIFFING, Response

_REPEATED = 3
"""The fewest characters of a text that counts as repeated."""
_PLAIN_NAME = re.compile(r"[\w.\[\] -]{1,120}")
_TYPES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    409: "conflict",
    500: "internal_error",
    503: "internal_error",
}
_HEADERS = (*JSON_HEADERS, NO_SNIFFING, ("cache-control", "no-store"))


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field.

    Args:
        field: The field, such as ``authority[0].approvedStates``; empty for the whole document.
        expected: What is expected.
        nearest: The nearest known name or value, if there is one.
    """

    field: str
    expected: str
    nearest: str = ""

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{shown(self.field)}: expected {self.expected}{hint}".removeprefix(": ")

    @property
    def document(self) -> dict[str, str]:
        """The problem as a JSON object."""
        found = {"field": shown(self.field), "expected": self.expected}
        return found | ({"nearest": self.nearest} if self.nearest else {})


class ControlError(Exception):
    """A refusal: nothing was changed, unless the status is 500 or above.

    Args:
        status: The HTTP status: 400 to 499, or that of ``unknown_outcome`` or a bug.
        words: What is wrong, in one sentence; made of the problems if there are any.
        problems: What is wrong with single fields.
        headers: Further header fields of the answer.
    """

    def __init__(
        self,
        status: int,
        *words: str,
        problems: tuple[Problem, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.messages: tuple[str, ...] = (*words, *map(str, problems))
        super().__init__("; ".join(self.messages))
        self.status = status
        self.problems = problems
        self.headers = headers

    @property
    def document(self) -> dict[str, Any]:
        """The refusal as a JSON object."""
        kind = _TYPES.get(self.status, "invalid_input")
        found = error_document(self.status, kind, map(redact, self.messages))
        return found | {"problems": [problem.document for problem in self.problems]}

    @property
    def response(self) -> Response:
        """The refusal as an answer; what looks like HTML in it is escaped."""
        return answer(self.status, escaped(to_json(self.document)), self.headers)


def unknown_outcome(error: Exception) -> ControlError:
    """The answer where the store failed: what was asked for may be in effect, or take effect later.

    Args:
        error: What the store says.
    """
    return ControlError(
        503,
        f"{error}; the outcome of this request is unknown: what it changed may be in effect, and "
        "lasts once the store can be written",
    )


def shown(name: str) -> str:
    """A field's name, or a description of one that is not a plain identifier."""
    if not name or _PLAIN_NAME.fullmatch(name):
        return name
    return f"(a name of {len(name)} characters)"


def without(words: str, given: object) -> str:
    """The words of an error without the texts that a caller gave, but for plain names.

    Args:
        words: What another part of the sandbox says.
        given: A text, or lists and objects of them, such as the parameters of a control.
    """
    if isinstance(given, str):
        # Of two characters, all texts have some: without those, the words would not be readable.
        if _PLAIN_NAME.fullmatch(given) or len(given) < _REPEATED:
            return words
        mark = f"(a text of {len(given)} characters)"
        return words.replace(repr(given), mark).replace(given, mark)
    if isinstance(given, dict):
        given = [*given, *given.values()]
    if isinstance(given, list | tuple | set | frozenset):
        for one in given:
            words = without(words, one)
    return words


def escaped(body: bytes) -> bytes:
    """JSON without any character that begins or ends HTML."""
    for character in (b"<", b">", b"&"):
        body = body.replace(character, b"\\u%04x" % ord(character))
    return body


def answer(status: int, body: bytes, more: tuple[tuple[str, str], ...] = ()) -> Response:
    """An answer of the control API."""
    return Response(status=status, headers=(*_HEADERS, *more), body=body)
