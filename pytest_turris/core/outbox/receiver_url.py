"""The URLs that a webhook may have: HTTPS to anywhere, HTTP to this machine only.

That endpoints are HTTPS is documented (help centre: settings-webhook); HTTP on loopback is an
addition of the sandbox, for receivers in tests. The sender decides whether a delivery is really
sent there: the core resolves no names.
"""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

_MOST = 2_048
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PORT = (
    "(?::(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
)
# Of IPv6 addresses only loopback: no expression separates other addresses from invalid text.
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[::1\])"
_LOOPBACK = rf"(?:localhost|127(?:\.{_OCTET}){{3}}|\[::1\])"
# Printable ASCII without a fragment and a backslash, on which parsers of URLs disagree. The
# quotation mark is written as \x22: generators of clients put patterns into quotation marks.
_REST = r"(?:[/?][!\x22$-\[\]-~]*)?"
_URL = f"(?:https://{_HOST}|http://{_LOOPBACK}){_PORT}{_REST}"
_ACCEPTED = re.compile(_URL)
_HERE = re.compile(rf"(?:.*\.)?localhost\.?|127(?:\.{_OCTET}){{3}}|::1", re.IGNORECASE)
_PLAIN = re.compile(f"http://{_HOST}{_PORT}{_REST}")


def _require_allowed(url: str) -> str:
    if _ACCEPTED.fullmatch(url):
        return url
    if _PLAIN.fullmatch(url):
        raise PydanticCustomError("https", "must be an https URL address")
    raise PydanticCustomError("url", "must be a URL address")


ReceiverUrl = Annotated[
    str,
    StringConstraints(max_length=_MOST),
    AfterValidator(_require_allowed),
    WithJsonSchema({"type": "string", "maxLength": _MOST, "pattern": f"^{_URL}$"}),
]


def other_machine(url: str) -> str:
    """The ``host:port`` of an accepted URL that does not lead to this machine; else empty.

    It is in the form in which a sender wants it to be allowed. No name is resolved.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "" if _HERE.fullmatch(host) else f"{host}:{parts.port or 443}"
