"""Texts about findings in the words of the command line, and of the receiver's language."""

import re
from collections.abc import Mapping

_LANGUAGES: tuple[tuple[str, str], ...] = (
    ("Python", r"\wicorn|hypercorn|daphne|waitress|granian|Werkzeug|aiohttp|Tornado|Python/"),
    ("Node", r"Express|Next\.js|Koa|Hapi"),
    ("PHP", r"PHP"),
    ("Ruby", r"WEBrick|Puma|Passenger|\bthin\b"),
    ("Java", r"Jetty|Coyote|Tomcat|Undertow|JBoss|WildFly|Servlet"),
    (".NET", r"Kestrel|ASP\.NET|Microsoft-IIS"),
)  # fmt: skip
_COMPARE = {
    "Node": "crypto.timingSafeEqual",
    "PHP": "hash_equals",
    "Ruby": "OpenSSL.secure_compare",
    "Java": "MessageDigest.isEqual",
    ".NET": "CryptographicOperations.FixedTimeEquals",
    "": "a comparison in constant time",
}
_OF_PYTHON: tuple[tuple[str, str], ...] = (
    (
        "hmac.compare_digest raises TypeError for such a text",
        "A comparison of texts may fail on characters outside ASCII",
    ),
    ("The parser's RecursionError becomes a 500", "A parser that cannot go so deep makes a 500"),
    ("hmac.compare_digest(given.encode(), expected.encode())", "{compare}"),
    ("hmac.compare_digest", "{compare}"),
    ("json.loads(..., object_pairs_hook=...) that", "Parse with a JSON parser that"),
    (
        "body.decode() before json.loads, which guesses the encoding of bytes",
        "Decode the body as UTF-8, strictly, before it is parsed",
    ),
    (
        "Catch RecursionError as well as ValueError",
        "Limit the depth, and catch every error of the parser",
    ),
    (
        "Catch ValueError, and refuse NaN with parse_constant",
        "Catch every error of the parser, and refuse NaN",
    ),
    ("log with repr", "escape line breaks in logs"),
    ("JSON or with repr()", "JSON"),
)
_CALL = re.compile(r"run\((?:\.\.\., )?(\w+)=.*?\)")
_ARGUMENT = re.compile(r"(?<!, )\b(\w+)=\.\.\.")
_ONLY_IN_PYTEST = ", or let reset=... clear what it counted"
_OPTIONS = {
    "events": "--event",
    "with_keys": "--start",
    "failing_work": "--failing-work",
    "effects": "--effects",
    "settle": "--settle",
    "log": "--log",
    "restart": "--start",
}


def language_of(headers: Mapping[str, str]) -> str:
    """Return the language of a receiver, or an empty text if its response does not show it.

    Args:
        headers: The headers of a response.
    """
    told = " ".join(
        value for name, value in headers.items() if name.lower() in ("server", "x-powered-by")
    )
    return next((name for name, known in _LANGUAGES if re.search(known, told, re.IGNORECASE)), "")


def worded(text: str, language: str = "") -> str:
    """Return a text about a check in the words of the command line.

    Parameters of pytest's fixture become options of the command line, and words for what only
    Python has are replaced by those of the receiver's language, or neutral ones.

    Args:
        text: A verdict's reason, why or fix.
        language: See ``language_of``.
    """
    text = _CALL.sub(_as_option, text.replace(_ONLY_IN_PYTEST, ""))
    text = _ARGUMENT.sub(_as_argument, text)
    text = re.sub(r"\buse (turris(?:_time)?)\b", r"in pytest: the fixture \1", text)
    if language == "Python":
        return text
    compare = _COMPARE.get(language, _COMPARE[""])
    for python, neutral in _OF_PYTHON:
        text = text.replace(python, neutral.format(compare=compare))
    return text


def _as_option(call: re.Match[str]) -> str:
    return _OPTIONS.get(call[1]) or f"only in pytest: turris_webhook_attack.{call[0]}"


def _as_argument(found: re.Match[str]) -> str:
    """Write an argument that a sentence names outside a call."""
    return _OPTIONS.get(found[1], found[0])
