"""Whether two answers say the same, apart from what differs in every answer."""

import re
from collections.abc import Callable

from pytest_turris.receivers.exchange import WebhookResponse

_WORD = re.compile(r"[\w+/=.:@-]*\d[\w+/=.:@-]*")
"""A word with a digit in it: a UUID, a time, a number, a request id."""

_DATE = re.compile(
    r"\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*\b",
    re.IGNORECASE,
)
_ID = re.compile(
    r"""(["']?\b(?:\w*[a-z](?:Id|ID|Time|Date|Stamp)|(?:\w+[_-])?"""
    r"""(?:[Ii]d|ID|uuid|trace|[Tt]race[Ii]d|[Rr]equest[Ii]d|instance|nonce|time(?:stamp)?|date))"""
    r"""["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}&<]+)"""
)
"""A member whose name says that it is an id or a time, as in ``"requestId": "kqzxv"``."""


def meaning(answer: WebhookResponse) -> tuple[int, str]:
    """The status and the text of an answer, without ids, times and numbers."""
    text = _DATE.sub("#", _WORD.sub("#", _ID.sub(r"\1#", answer.text)))
    return answer.status_code, " ".join(text.split())


def alike(
    one: WebhookResponse, other: WebhookResponse, again: Callable[[], WebhookResponse | None]
) -> bool:
    """Whether one answer says the same as another.

    Args:
        one: An answer.
        other: The answer to compare it with.
        again: Sends for a second answer to the same request as ``other``. If that differs too,
            only the statuses are compared: this receiver says something new each time.
    """
    if meaning(one) == meaning(other):
        return True
    if one.status_code != other.status_code:
        return False
    second = again()
    return second is None or meaning(second) != meaning(other)
