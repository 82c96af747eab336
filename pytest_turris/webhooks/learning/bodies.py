"""The forms of a body that a sender may sign: as it was sent, a part of it, or written again."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

RAW_BODY = "the raw body"
COMPACT_PAYLOAD = "compact JSON of the payload member"

_WRITERS: dict[str, Callable[[Any], str]] = {
    "compact JSON": lambda value: _json(value, (",", ":")),
    "compact JSON in ASCII": lambda value: _json(value, (",", ":"), ascii_only=True),
    "JSON with spaces": lambda value: _json(value, (", ", ": ")),
    "JSON with spaces in ASCII": lambda value: _json(value, (", ", ": "), ascii_only=True),
    "compact JSON with sorted members": lambda value: _json(value, (",", ":"), ordered=True),
    "JSON with spaces and sorted members": lambda value: _json(value, (", ", ": "), ordered=True),
    "JSON indented by 2": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
}
_PAYLOAD_MEMBER = re.compile(r'"payload"\s*:\s*')

BODY_FORMS = (
    RAW_BODY,
    COMPACT_PAYLOAD,
    "the payload member as it stands in the body",
    *(f"{name} of the payload member" for name in list(_WRITERS)[1:]),
    *(f"{name} of the body" for name in _WRITERS),
    "the body without white space around it",
    "the SHA-256 digest of the body in hex",
)
"""Every form, the likeliest first."""


def forms_of(body: bytes) -> dict[str, bytes]:
    """Return what each form of the body is; forms that it does not have are left out."""
    found = {RAW_BODY: body}
    found |= dict(_of_json(body))
    found["the body without white space around it"] = body.strip()
    found["the SHA-256 digest of the body in hex"] = hashlib.sha256(body).hexdigest().encode()
    return {form: found[form] for form in BODY_FORMS if form in found}


def _of_json(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        text = body.decode()
        whole = json.loads(text)
        yield from _written(whole, "the body")
        if isinstance(whole, dict) and "payload" in whole:
            yield from _written(whole["payload"], "the payload member")
            yield from _as_it_stands(text, whole["payload"])
    except (ValueError, RecursionError):
        return


def _written(value: object, what: str) -> Iterator[tuple[str, bytes]]:
    for name, write in _WRITERS.items():
        yield f"{name} of {what}", write(value).encode()


def _as_it_stands(text: str, payload: object) -> Iterator[tuple[str, bytes]]:
    for found in _PAYLOAD_MEMBER.finditer(text):
        # A quote inside a string is escaped, so what was found is a member, here or deeper.
        value, end = json.JSONDecoder().raw_decode(text, found.end())
        if value == payload:
            stands = text[found.end() : end].encode()
            yield "the payload member as it stands in the body", stands
            return


def _json(
    value: object, separators: tuple[str, str], *, ascii_only: bool = False, ordered: bool = False
) -> str:
    return json.dumps(value, separators=separators, ensure_ascii=ascii_only, sort_keys=ordered)
