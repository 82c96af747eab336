"""The forms in which senders write the time of signing."""

import re

TIME = re.compile(
    r"(?<![0-9A-Za-z])(?:1[0-9]{9}(?:[0-9]{3}){0,3}"
    r"|20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
    r"|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT)(?![0-9A-Za-z])"
)
"""Unix time in seconds, milliseconds, microseconds or nanoseconds; ISO 8601; an HTTP date."""

_SECONDS = re.compile(r"1[0-9]{9}")


def time_in(text: str) -> str:
    """Return the time in a text; empty if there is none."""
    found = TIME.search(text)
    return found[0] if found else ""


def form_of(time: str) -> str:
    """Return the form of a time in words."""
    if time.isdigit():
        return {10: "seconds", 13: "milliseconds", 16: "microseconds"}.get(len(time), "nanoseconds")
    return "ISO 8601" if time[0].isdigit() else "an HTTP date"


def is_seconds(time: str) -> bool:
    """Return whether a time is in Unix seconds."""
    return bool(_SECONDS.fullmatch(time))
