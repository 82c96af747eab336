"""One credential: an API client or a restricted access token, and how each is checked and stored.

The format of client ids, secrets and restricted tokens is undocumented; these are recognisable
fakes.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pytest_turris.core.access.allowlist import is_within
from pytest_turris.core.clock import later
from pytest_turris.core.errors import TurrisKitError, UnknownNameError
from pytest_turris.core.text.redaction import Secret, mask
from pytest_turris.core.wire.hosts import Environment

Permission = Literal["read", "write"]

ALL_PERMISSIONS: frozenset[Permission] = frozenset({"read", "write"})
"""Turris documents that permissions exist (403), but not which; these two are assumed."""

CLIENT_MARK = "turris_sandbox_client_"
SECRET_MARK = "turris_sandbox_secret_"
"""The prefixes of a sandbox's ids and secrets: real ones differ, so none is accepted."""

ROTATED = ("client_secret", "previous_secret", "previous_until", "overlap_seconds")
"""What a rotation changes in an API client."""

_GIVEN = re.compile(r"[A-Za-z0-9_.-]{1,128}")


class CredentialError(TurrisKitError, ValueError):
    """A given id or secret is in use or has the wrong form, or a value is not a credential."""


@dataclass(kw_only=True)
class ApiClient:
    """An OAuth API client: ``client_id`` and ``client_secret``, for one environment."""

    client_id: str
    client_secret: Secret = field(repr=False)
    environment: Environment
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    revoked: bool = False
    previous_secret: Secret | None = field(default=None, repr=False)
    previous_until: dt.datetime | None = None
    overlap_seconds: float = 0.0
    """How long the previous secret stays valid after a rotation."""

    @property
    def name(self) -> str:
        """Its name in the journal."""
        return self.client_id


@dataclass(kw_only=True)
class RestrictedAccessToken:
    """A token for the header ``x-restricted-access-token``, limited to an IP allowlist.

    ``allowed`` holds IPv4 or IPv6 addresses or networks in CIDR form; empty allows any
    address (the allowlist's syntax is undocumented).
    """

    token: Secret = field(repr=False)
    allowed: tuple[str, ...] = ()
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    environment: Environment
    revoked: bool = False

    @property
    def name(self) -> str:
        """Its name in the journal and in the documented 403."""
        return mask(self.token)

    def allows(self, client_ip: str) -> bool:
        """Whether the allowlist has the address; an IPv4-mapped IPv6 address counts as IPv4."""
        return not self.allowed or is_within(client_ip, self.allowed)


Credential = ApiClient | RestrictedAccessToken


def checked_kind(value: object, *kinds: type) -> None:
    """Refuse a value of another kind; the message has its type alone, as it may be a secret."""
    if not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise CredentialError(
            f"expected {names}, got {type(value).__name__}: pass the object, such as "
            "turris.client or turris.tokens.newest, not its id or text"
        )


def checked_duration(name: str, value: object) -> None:
    """Refuse what is not a timedelta, such as a number, whose unit is not known."""
    if not isinstance(value, dt.timedelta):
        raise CredentialError(
            f"{name}={value!r} is not a timedelta; write {name}=dt.timedelta(seconds=...)"
        )


def replace_secret(
    client: ApiClient, secret: Secret, now: dt.datetime, overlap: dt.timedelta | None
) -> None:
    """Give a client a secret; the one before stays valid for ``overlap``, if given.

    Raises:
        CredentialError: The overlap is negative, or not a timedelta.
    """
    if overlap is not None:
        checked_duration("overlap", overlap)
    if overlap is not None and overlap < dt.timedelta(0):
        raise CredentialError(
            f"overlap={overlap.total_seconds():g} s is negative: give how long the old secret lasts"
        )
    client.previous_secret = client.client_secret if overlap else None
    client.previous_until = later(now, overlap) if overlap else None
    client.overlap_seconds = overlap.total_seconds() if overlap else 0.0
    client.client_secret = secret


def shorten_overlap(client: ApiClient, now: dt.datetime) -> bool:
    """Let the old secret last for its overlap from now; return whether that is sooner than before.

    For use after the clock was set back: an overlap of minutes would else last as long as that.
    """
    longest = later(now, dt.timedelta(seconds=client.overlap_seconds))
    until = client.previous_until
    if until is None or not client.overlap_seconds or until <= longest:
        return False
    client.previous_until = longest
    return True


def overlap_that_ended(client: ApiClient, now: dt.datetime) -> str:
    """Why the old secret is no longer valid; empty if it is."""
    until = client.previous_until
    if until is None:
        return f"wrong clientSecret for {client.client_id}"
    if now < until:
        return ""
    return f"the old clientSecret of {client.client_id} was valid until {until:%H:%M:%S}Z"


def checked_mark(what: str, text: str, mark: str) -> str:
    """Return the given id or secret, if it is valid; no message shows a real one."""
    if text and not (str(text).startswith(mark) and _GIVEN.fullmatch(text.removeprefix(mark))):
        raise CredentialError(
            f"a {what} of a sandbox is {mark!r} and 1 to 128 letters, digits, '_', '.' or '-': "
            "the one that was given may be real, and was not taken"
        )
    return text


def known_permissions(names: Iterable[Permission]) -> frozenset[Permission]:
    """Return the names as a set; UnknownNameError if there is no such permission."""
    if isinstance(names, str):
        raise UnknownNameError(f"permissions={names!r} is a text; give a set: {{{names!r}}}")
    permissions = frozenset(names)
    if unknown := permissions - ALL_PERMISSIONS:
        raise UnknownNameError(f"there is no permission {min(unknown)!r}; use 'read' or 'write'")
    return permissions


def known_environment(name: Environment) -> Environment:
    """Return the name of an environment; UnknownNameError if there is none of that name."""
    if name not in ("sandbox", "production"):
        raise UnknownNameError(f"there is no environment {name!r}; use 'sandbox' or 'production'")
    return name


def as_row(credential: Credential) -> dict[str, Any]:
    """A credential as JSON data."""
    row = asdict(credential)
    row |= {name: list(row[name]) for name in ("allowed",) if name in row}
    row["permissions"] = sorted(row["permissions"])
    until = row.get("previous_until")
    return row | ({"previous_until": until.isoformat()} if until else {})


def client_of(row: dict[str, Any]) -> ApiClient:
    """Return the API client that a row holds."""
    until, previous = row["previous_until"], row["previous_secret"]
    return ApiClient(
        **row
        | {
            "client_secret": Secret(row["client_secret"]),
            "permissions": frozenset(row["permissions"]),
            "previous_secret": Secret(previous) if previous else None,
            "previous_until": dt.datetime.fromisoformat(until) if until else None,
        }
    )


def restricted_of(row: dict[str, Any]) -> RestrictedAccessToken:
    """Return the restricted access token that a row holds."""
    return RestrictedAccessToken(
        **row
        | {
            "token": Secret(row["token"]),
            "allowed": tuple(row["allowed"]),
            "permissions": frozenset(row["permissions"]),
        }
    )
