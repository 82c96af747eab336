"""Who may see the page: one-time addresses, sessions, and the cookie between them.

It works as Jupyter's server does: the address that ``serve`` prints has a token, which becomes a
cookie and leaves the address bar. The token works once. The sign-in page takes the control token.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import TypeVar

from pytest_turris.core.wire.messages import Request

T = TypeVar("T")

ROOT = "/__sandbox__/"
SIGN_IN = f"{ROOT}page/sign-in"
_MARK = "turris_sandbox_control_page_"
"""Redaction knows tokens that begin like this, so no log or failure shows one."""

_MOST = 100
"""The maximum number of browsers that are signed in, and of addresses that are not opened yet."""


def _random() -> str:
    return os.urandom(32).hex()


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is signed in.

    Args:
        key: The value of its cookie.
        csrf: The token that each of its changes has, so that no other page can make one.
    """

    key: str = field(repr=False, default_factory=_random)
    csrf: str = field(repr=False, default_factory=_random)


class SignIn:
    """The addresses for signing in, and the browsers that are signed in.

    Args:
        control_token: The control token of the server.
    """

    def __init__(self, control_token: str) -> None:
        self._control = _digest(control_token)
        # By digest: how long a lookup takes then says nothing about a token.
        self._waiting: dict[bytes, None] = {}
        self._sessions: dict[bytes, Session] = {}

    def address(self, base_url: str) -> str:
        """A new address that signs in one browser, once."""
        token = f"{_MARK}{_random()}"
        _limited(self._waiting)[_digest(token)] = None
        return f"{base_url}{ROOT}?token={token}"

    def enter(self, token: str) -> Session | None:
        """Return a new session for an address's token or the control token, else None."""
        digest = _digest(token)
        is_control = hmac.compare_digest(digest, self._control)
        if not is_control and digest not in self._waiting:
            return None
        self._waiting.pop(digest, None)
        session = Session()
        _limited(self._sessions)[_digest(session.key)] = session
        return session

    def session(self, request: Request) -> Session | None:
        """The session of the request's cookie, if it has one that is known."""
        name = cookie_name(request)
        for line in request.lines("cookie"):
            for pair in line.split(";"):
                key, _, value = pair.strip().partition("=")
                if key == name and (found := self._sessions.get(_digest(value))):
                    return found
        return None

    def leave(self, session: Session) -> None:
        """Forget a session."""
        self._sessions.pop(_digest(session.key), None)


def cookie_name(request: Request) -> str:
    """The name of the cookie.

    Browsers send cookies to all ports, so the port is part of the name.
    """
    port = request.host.rpartition(":")[2]
    return f"turris_sandbox_{port}" if port.isdecimal() else "turris_sandbox"


def cookie(request: Request, session: Session | None) -> tuple[str, str]:
    """The header that sets the cookie, or with None that removes it."""
    value = session.key if session else ""
    parts = [f"{cookie_name(request)}={value}", f"Path={ROOT}", "HttpOnly", "SameSite=Strict"]
    if session is None:
        parts.append("Max-Age=0")
    if request.scheme == "https":
        parts.append("Secure")
    return "set-cookie", "; ".join(parts)


def _limited(held: dict[bytes, T]) -> dict[bytes, T]:
    while len(held) >= _MOST:
        held.pop(next(iter(held)))
    return held


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
