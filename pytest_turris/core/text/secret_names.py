"""What names a secret in a body, a query or a header, and where its value is then.

A member ``key`` is a special case: most are harmless, such as those of a list of settings. Its
value is masked if it looks like a credential: at least 16 characters of Base64 or of a token,
with a letter and a digit, and not the id of a record.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache
from urllib.parse import unquote

LatePattern = Callable[[], re.Pattern[str]]


def late(pattern: str, flags: int) -> LatePattern:
    """A pattern that is compiled when it is first needed: a server starts sooner without it."""
    return cache(lambda: re.compile(pattern, flags))


_PLAIN = (
    *("token", "secret", "password", "passwd", "passphrase", "passcode", "pwd", "ssn"),
    *("credential", "signature", "authorization"),
)
_KEYS = (
    *("api", "private", "signing", "access", "auth", "encryption", "master", "shared", "session"),
    *("subscription", "function", "functions", "client", "webhook", "hmac"),
)
_LONGEST_KEY = len("subscription-")
_WORDS = rf"{'|'.join(_PLAIN)}|(?:{'|'.join(_KEYS)})[ _.-]?key"
_NAME = rf"(?:{_WORDS})(?:s|[ _.-]?(?:[0-9]{{1,3}}|keys?|values?|text|string))?"
_TEXT_NAME = rf"(?:{_NAME}|jwt)(?:\[[^\]\s]{{0,32}}\])*"
_WHOLE = "jwt|bearer|assertion|auth|pass|cookie|url|signInUrl"
_MEMBER_NAME = rf"[\w .-]*{_NAME}|{_WHOLE}"

ROOTS: tuple[str, ...] = (
    *("token", "secret", "pass", "pwd", "ssn", "credential", "signature", "key"),
    *("auth", "jwt", "url", "bearer", "basic", "assertion", "cookie"),
)
"""One of these is in each name, and in ``Basic`` and ``Bearer``: finding them is fast."""

_SECRET_HEADER = re.compile(
    rf"{_WORDS}|cookie|jwt|bearer|assertion|hmac|authentication|"
    r"(?:^|-)(?:auth|pass|sig|otp)$|^(?:x-)?(?:key|access|basic|session(?:-id)?)$",
    re.IGNORECASE,
)

# A secret of the wrong type (a list, a number) is masked too, a list with all that follows it.
SECRET_MEMBER: re.Pattern[str] = re.compile(
    rf'("(?:{_MEMBER_NAME})"\s*:\s*)'
    r'(?:"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?$)|[\[{].*|[^\s",}\]]+)',
    re.IGNORECASE | re.DOTALL,
)

# JSON in a string of JSON: its quotes have backslashes, each level of them more. The value ends at
# a quote with as many as that before it. The bound keeps a run of backslashes cheap.
_SPACE = r"(?:\s|\\{1,15}[nrt])*"
NESTED_MEMBER: LatePattern = late(
    rf'((\\{{1,15}}")(?:{_MEMBER_NAME})\2{_SPACE}:{_SPACE})'
    r'(?:\2(.*?)(?:(?<!\\)\2|$)|[\[{].*|[^\s",}\]\\]+)',
    re.IGNORECASE | re.DOTALL,
)
KEY_MEMBER: LatePattern = late(
    rf'((\\{{0,15}}")key\2{_SPACE}:{_SPACE}\2)'
    r"(?=[^\"\\]*[0-9])(?=[^\"\\]*[A-Za-z])([A-Za-z0-9_.~+/=-]{16,})(?=[\"\\]|$)",
    re.IGNORECASE,
)

PART: LatePattern = late(
    r"(content-disposition:[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n)(.*?)(?=\r?\n--|\Z)",
    re.IGNORECASE | re.DOTALL,
)
"""A part of a multipart form: its header fields from the one with the name on, and its content."""

ELEMENT: LatePattern = late(
    rf"(<(?=[^<>]*{_NAME})([\w:.-]+)[^<>]*(?<!/)>\s*)"
    r"(?:(.*?)(?=\s*</\2)|((?:<!\[CDATA\[)?[^<]*))",
    re.IGNORECASE | re.DOTALL,
)
"""An element of XML, named so itself or by an attribute; all of its content is the value."""

LINE: LatePattern = late(
    rf"^(([ \t]*)(?:[-?][ \t]+)?['\"]?[\w .-]*?{_TEXT_NAME}['\"]?[ \t]*(?:\r?\n[ \t]*)?:[ \t]*)"
    r"(?=\s|(?<=[ \t]))([^\r\n]*(?:\r?\n(?:[ \t]*(?=\r?\n)|\2[ \t]+\S[^\r\n]*|\2-[ \t][^\r\n]*))*)",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of YAML, or a header field, with the lines of its value, which are indented more."""

IN_TEXT: LatePattern = late(
    # A shell; a member in single quotes; a form; a pair of a name and a value; a property list.
    rf"({_TEXT_NAME}(?:['\"]?[ \t]*[:=][ \t]*"
    r"|['\"][\s,]+['\"]?(?:value|content)['\"]?\s*[:=]\s*"
    r"|\s*</[\w:.-]+>\s*<[^<>]+>))"
    r"(?:(['\"`])((?:\\.|(?!\2)[^\\])+)|([^\r\n'\"<>&`]+))",
    re.IGNORECASE | re.DOTALL,
)

_PARAMETER_NAME = late(
    rf".*{_NAME}|.*token_hint|code_verifier|jwt|bearer|assertion|auth|pass|otp|session|cookie|"
    "code|key|sig|email|fein",
    re.IGNORECASE | re.DOTALL,
)
_BRACKETS = re.compile(r"[\[\].\0]+")
_ANY_NAME = late(_TEXT_NAME, re.IGNORECASE)
_A_MEMBER_NAME = re.compile(_MEMBER_NAME, re.IGNORECASE)


@lru_cache(maxsize=512)
def is_secret_member(name: str) -> bool:
    """Whether a member of JSON with this name holds a secret or a capability URL."""
    return _A_MEMBER_NAME.fullmatch(name) is not None


def is_secret_parameter(name: str) -> bool:
    """Whether a parameter of a query or a form is secret or personal.

    So is one of an array or an object: ``token[]``, ``oauth[token]``.
    """
    plain = unquote(name.replace("+", " ")).strip()
    return any(map(_PARAMETER_NAME().fullmatch, _BRACKETS.split(plain)))


@lru_cache(maxsize=512)
def is_secret_header(name: str) -> bool:
    """Whether a header field with this name holds a credential."""
    return _SECRET_HEADER.search(name) is not None


def first_name(lowered: str) -> int:
    """Where the first name of a secret is in a text in lower case; -1 if there is none."""
    found = [at for name in (*_PLAIN, "jwt") if (at := lowered.find(name)) >= 0]
    at = lowered.find("key")
    while at >= 0:
        begin = max(0, at - _LONGEST_KEY)
        kind = lowered[begin:at]
        if kind.endswith(_KEYS) or (kind[-1:] in " _.-" and kind[:-1].endswith(_KEYS)):
            found.append(begin)
            break
        at = lowered.find("key", at + 1)
    return min(found, default=-1)


def names_a_secret(text: str) -> bool:
    """Whether a secret's name is in a text, which may be percent-encoded."""
    return _ANY_NAME().search(unquote(text)) is not None
