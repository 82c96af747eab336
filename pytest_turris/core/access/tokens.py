"""Access tokens: RS256 JWTs (RFC 7519) that the sandbox issues, accepts and refuses.

Only the header ``{"alg": "RS256", "typ": "JWT"}`` and the lifetime of 60 minutes are documented;
the claims, ``kid`` and the JWKS are assumed. A token expires to the microsecond on the sandbox's
clock; ``iat`` and ``exp`` are whole seconds.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, get_args

from pytest_turris.core.access.credential import ApiClient, checked_duration, checked_kind
from pytest_turris.core.access.flaws import Flaw
from pytest_turris.core.access.jwks import public_keys
from pytest_turris.core.access.outlived import no_test, of_another_test
from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock, later
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.text.durations import span
from pytest_turris.core.text.redaction import Secret, mask
from pytest_turris.core.undo import Undo, whole
from pytest_turris.core.wire.building import ModelBuilding
from pytest_turris.core.wire.errors import ExpiredToken, Unauthorized
from pytest_turris.core.wire.hosts import Environment
from pytest_turris.core.wire.messages import Request

if not ModelBuilding.is_deferred:
    # A server imports cryptography with its first token; a test process, where the imports of a
    # test are not to depend on what ran before, with this module.
    import_module("pytest_turris.core.access.jws")

_PRUNE_ABOVE = 1_000
_MESSAGE = "Invalid or expired token"


@dataclass(kw_only=True)
class AccessToken:
    """An issued token, with the exact times of its issue and expiry."""

    text: Secret = field(repr=False)
    jti: str
    client_id: str
    environment: Environment
    issued_at: dt.datetime
    expires_at: dt.datetime
    revoked: bool = False

    def plain(self) -> dict[str, Any]:
        """The token as JSON data."""
        return vars(self) | {
            "issued_at": self.issued_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
        }


class Tokens:
    """The issuer. Iterating gives the tokens that it keeps, oldest first."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, clock: Clock, randomness: Randomness, options: Options) -> None:
        self._clock = clock
        self._randomness = randomness
        self._options = options
        self._issued: dict[str, AccessToken] = {}
        self._prune_at = _PRUNE_ABOVE
        self.test_of: Callable[[str], str] = no_test
        """Which test has, or had, the API client with an id."""

    def __iter__(self) -> Iterator[AccessToken]:
        return iter(tuple(self._issued.values()))

    @property
    def newest(self) -> AccessToken | None:
        """The newest token."""
        return next(reversed(self._issued.values()), None)

    @whole
    def issue(self, client: ApiClient, *, ttl: dt.timedelta | None = None) -> AccessToken:
        """Issue a token for a client; ``ttl`` overrides the option ``token_ttl``.

        With a negative one, the token has expired already.

        Raises:
            CredentialError: It is not an API client, but its id, for example; or ``ttl`` is not a
                timedelta.
        """
        checked_kind(client, ApiClient)
        if ttl is not None:
            checked_duration("ttl", ttl)
        now = self._clock.now()
        lifetime = self._options.token_ttl if ttl is None else ttl
        jti = self._randomness.uuid("jti")
        from pytest_turris.core.access.jws import signed  # noqa: PLC0415 - see above

        text = signed(self._claims(client.client_id, client.environment, jti, now, lifetime))
        token = AccessToken(
            text=Secret(text),
            jti=jti,
            client_id=client.client_id,
            environment=client.environment,
            issued_at=now,
            expires_at=later(now, lifetime),
        )
        self._prune(now)
        self.undo.item(self._issued, text)
        self._issued[text] = token
        self._mark(token)
        return token

    def find(self, request: Request) -> AccessToken | None:
        """The issued token that a request carries as its bearer token, valid or not."""
        return self.with_text(request.header("authorization").partition(" ")[2].strip())

    def with_text(self, text: str) -> AccessToken | None:
        """The issued token with a text, valid or not."""
        return self._issued.get(text)

    @whole
    def revoke(self, token: AccessToken) -> None:
        """Refuse one token from now on.

        Raises:
            CredentialError: It is not an ``AccessToken``, but its text, for example.
        """
        checked_kind(token, AccessToken)
        self.undo.attributes(token, "revoked")
        token.revoked = True
        self._mark(token)

    @whole
    def revoke_all(self) -> None:
        """Refuse every token issued so far."""
        for token in tuple(self._issued.values()):
            self.revoke(token)

    def verify(self, text: str, environment: Environment) -> AccessToken:
        """The token of a bearer value.

        Raises:
            Unauthorized: It is malformed, forged, expired, revoked, or of the other
                environment. The message is always the same; the journal has the reason.
        """
        # An issued token is looked up, not verified again: 0.1 instead of 67 microseconds.
        token = self._issued.get(text)
        if token is None:
            raise _refused(self._flaw_of(text, environment))
        now = self._clock.now()
        if token.revoked:
            raise _refused(f"token {mask(text)} was revoked")
        if now >= token.expires_at:
            raise ExpiredToken(_MESSAGE, reason=self._expired(token.issued_at, token.expires_at))
        if token.environment != environment:
            raise _refused(
                f"token {mask(text)} belongs to the {token.environment} environment, "
                f"the request went to {environment}"
            )
        return token

    def forge(self, flaw: Flaw, *, client: ApiClient | None = None) -> Secret:
        """A token with one flaw; the sandbox refuses each with its own reason.

        Raises:
            UnknownNameError: There is no such flaw.
            CredentialError: ``client`` is not an API client, but its id, for example.
        """
        if flaw not in get_args(Flaw):
            raise UnknownNameError(
                f"there is no flaw {flaw!r}; use one of {', '.join(get_args(Flaw))}"
            )
        if client is not None:
            checked_kind(client, ApiClient)
        now, ttl = self._clock.now(), self._options.token_ttl
        name = client.client_id if client else "turris_sandbox_client_forged"
        environment: Environment = client.environment if client else "sandbox"
        if flaw == "other_environment":
            environment = "production" if environment == "sandbox" else "sandbox"
        if flaw == "expired":
            now -= ttl + dt.timedelta(seconds=1)
        claims = self._claims(name, environment, self._randomness.uuid("jti"), now, ttl)
        from pytest_turris.core.access.jws import forged  # noqa: PLC0415 - see above

        return Secret(forged(flaw, claims))

    @staticmethod
    def jwks() -> dict[str, Any]:
        """The public keys as a JWK Set (RFC 7517)."""
        return public_keys()

    def rows(self) -> Iterator[Row]:
        """The tokens as rows of the state."""
        for text, token in self._issued.items():
            yield "tokens", text, token.plain()

    def snapshot(self) -> list[dict[str, Any]]:
        """The tokens as JSON data; only a sandbox accepts them."""
        return [row for _, _, row in self.rows()]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Replace all tokens with a snapshot's."""
        self._issued = {row["text"]: _restored(row) for row in data}

    def take_over(self, text: str, row: dict[str, Any] | None) -> None:
        """Take over a token that was issued or changed elsewhere; None if it is forgotten there."""
        if row is None:
            self._issued.pop(text, None)
        else:
            self._issued[text] = _restored(row)

    def _prune(self, now: dt.datetime) -> None:
        """Forget expired tokens each time the number of tokens may have doubled."""
        if len(self._issued) >= self._prune_at:
            kept = {t: old for t, old in self._issued.items() if old.expires_at > now}
            if self.changes is not None:
                for text in self._issued.keys() - kept.keys():
                    self.changes.gone("tokens", text)
            self.undo.attributes(self, "_issued", "_prune_at")
            self._issued = kept
            self._prune_at = max(_PRUNE_ABOVE, 2 * len(self._issued))

    def _mark(self, token: AccessToken) -> None:
        if self.changes is not None:
            self.changes.mark("tokens", token.text, token.plain)

    def _claims(
        self, client_id: str, environment: str, jti: str, now: dt.datetime, ttl: dt.timedelta
    ) -> dict[str, Any]:
        issued = int(now.timestamp())
        return {
            "iss": self._options.token_issuer,
            "sub": client_id,
            "aud": self._options.token_audience,
            "iat": issued,
            "exp": issued + int(ttl.total_seconds()),
            "jti": jti,
            "env": environment,
        }

    def _flaw_of(self, text: str, environment: Environment) -> str:
        """Why a token that is not among the issued ones is refused."""
        from pytest_turris.core.access.jws import verified  # noqa: PLC0415 - see above

        claims = verified(text)
        if isinstance(claims, str):
            return claims
        return self._claims_flaw(claims, environment)

    def _claims_flaw(self, claims: dict[str, Any], environment: Environment) -> str:
        if claims.get("iss") != self._options.token_issuer:
            return f"wrong issuer (iss): expected {self._options.token_issuer!r}"
        if claims.get("aud") != self._options.token_audience:
            return f"wrong audience (aud): expected {self._options.token_audience!r}"
        if (other := claims.get("env")) != environment:
            return f"belongs to the environment {other!r}, the request went to {environment!r}"
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or not isinstance(expires, int):
            return "malformed: no iat or exp claim"
        if self._clock.now().timestamp() >= expires:
            return self._expired_claims(issued, expires)
        outlived = of_another_test(self.test_of(str(claims.get("sub"))))
        source = outlived or ": from another test or an earlier run"
        return f"validly signed, but not issued by this sandbox{source}"

    def _expired_claims(self, issued: int, expires: int) -> str:
        try:
            moments = [dt.datetime.fromtimestamp(at, dt.UTC) for at in (issued, expires)]
        except (OverflowError, ValueError, OSError):
            return "malformed: iat or exp is not a valid point in time"
        return self._expired(*moments)

    def _expired(self, issued_at: dt.datetime, expires_at: dt.datetime) -> str:
        now = self._clock.now()
        return (
            f"expired {span(now - expires_at)} ago; issued {span(now - issued_at)} ago, at "
            f"{issued_at:%H:%M:%S}Z; the sandbox's clock says {now:%H:%M:%S}Z"
        )


def _restored(row: dict[str, Any]) -> AccessToken:
    issued_at, expires_at = row["issued_at"], row["expires_at"]
    moments = {
        "issued_at": dt.datetime.fromisoformat(issued_at),
        "expires_at": dt.datetime.fromisoformat(expires_at),
    }
    return AccessToken(**row | moments | {"text": Secret(row["text"])})


def _refused(reason: str) -> Unauthorized:
    return Unauthorized(_MESSAGE, reason=reason)
