"""The payload of another sender than Turris, which attacks send instead of Turris' events."""

import itertools
from collections.abc import Callable

from pytest_turris.process.reading.user_documents import DocumentError, json_of_user, text_of_user

TURRIS_ONLY = frozenset(
    {
        "WH-51",  # changes webhookType and upstreamEntityId
        "WH-71",  # an unknown webhookType
        "WH-73",  # the lists and objects of Turris' payloads
        "WH-77",  # Turris' names
        "WH-78",
        "WH-79",
        "WH-89",  # the types of other webhooks
        "WH-92",  # a second event with the same ids
        "WH-109",
        "WH-127",  # upstreamEntityId
        "WH-133",  # the names and ids in Turris' payloads, and so the next five
        "WH-134",
        "WH-135",
        "WH-136",
        "WH-137",
        "WH-138",
        "WH-154",  # a second event with the same ids
    }
)
"""Attacks that change members of Turris' events by hand; of the others, what needs an event of
Turris asks the context for one."""

PLACEHOLDER = "{{id}}"
"""Stands for an id that is new in each webhook."""

_WHITESPACE = str.maketrans("01", " \n")


class PayloadError(ValueError):
    """A payload is not a JSON object."""


class OwnPayload:
    """A JSON object that is sent as it is written, with what makes each webhook a different one.

    ``{{id}}`` becomes a new id in each webhook. After the opening brace comes whitespace, which
    has no meaning in JSON (RFC 8259, 2) and is different each time, so that no two webhooks are
    the same bytes.

    Args:
        text: The object.
        new_id: Returns a new id.

    Raises:
        PayloadError: It is not a JSON object in UTF-8.
    """

    def __init__(self, text: bytes, new_id: Callable[[], str]) -> None:
        try:
            written = text_of_user(text).strip()
            parsed = json_of_user(written)
        except DocumentError as error:
            raise PayloadError(f"the payload is not JSON in UTF-8: {error}") from None
        if not isinstance(parsed, dict):
            raise PayloadError("the payload is not a JSON object")
        self._text = written
        self._new_id = new_id
        self._numbers = itertools.count(1)

    def next(self) -> bytes:
        """Return the body of another webhook."""
        space = f"{next(self._numbers):b}".translate(_WHITESPACE)
        text = self._text.replace(PLACEHOLDER, self._new_id())
        return f"{text[0]}{space}{text[1:]}".encode()
