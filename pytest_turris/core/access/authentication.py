"""Who is calling: the bearer token first, then the restricted access token.

The order and "Authentication token not provided" are documented (authentication,
guides/error-handling). Not documented: whose refusal it is when both fail (option
``failed_fallback``).
"""

import re
from typing import Literal, NamedTuple

from pytest_turris.core.access.credential import Credential
from pytest_turris.core.access.credentials import Credentials
from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.options import Options
from pytest_turris.core.wire.errors import TurrisError, Unauthorized
from pytest_turris.core.wire.hosts import Environment
from pytest_turris.core.wire.messages import Request

RESTRICTED_HEADER = "x-restricted-access-token"

_TOKEN_IN_URL = re.compile(r"[&?/=]eyJ[\w-]+\.|[?&](?:[\w-]*token|jwt|bearer)=", re.IGNORECASE)


class Caller(NamedTuple):
    """The credential of a request, and the access token if there is one."""

    credential: Credential
    token: AccessToken | None = None


class Authentication:
    """Finds the caller of a request among the credentials of one sandbox."""

    def __init__(self, credentials: Credentials, tokens: Tokens, options: Options) -> None:
        self._credentials = credentials
        self._tokens = tokens
        self._options = options

    def caller(
        self,
        request: Request,
        environment: Environment,
        *,
        only: Literal["oauth", "restricted"] | None = None,
    ) -> Caller:
        """Who sent the request; with ``only``, the other kind of credential is ignored.

        Raises:
            Unauthorized: There is no credential, or no valid one.
            Forbidden: The restricted access token does not allow the caller's address, and no
                bearer token was sent, or ``failed_fallback`` says so.
        """
        bearers = () if only == "restricted" else request.lines("authorization")
        restricted = () if only == "oauth" else request.lines(RESTRICTED_HEADER)
        if not bearers and not restricted:
            raise self._missing(request)
        if len(bearers) > 1 or len(restricted) > 1:
            raise Unauthorized(
                "Invalid or expired token", reason="the credential header was sent more than once"
            )
        if not bearers:
            return self._restricted(restricted[0], request, environment)
        try:
            return self._bearer(bearers[0], environment)
        except Unauthorized:
            if not restricted:
                raise
            return self._fallback(restricted[0], request, environment)

    def _fallback(self, text: str, request: Request, environment: Environment) -> Caller:
        try:
            return self._restricted(text, request, environment)
        except TurrisError as error:
            error.reason = (
                f"neither the bearer nor the restricted access token is valid: {error.reason}"
            )
            if self._options.failed_fallback == "restricted_token":
                raise
            raise Unauthorized("Invalid or expired token", reason=error.reason) from None

    def _bearer(self, value: str, environment: Environment) -> Caller:
        scheme, _, rest = value.partition(" ")
        text = rest.strip()
        if scheme.lower() != "bearer" or not text:
            raise Unauthorized(
                "Invalid or expired token",
                reason="the Authorization header is not 'Bearer <token>'",
            )
        token = self._tokens.verify(text, environment)
        client = self._credentials.client(token.client_id)
        if client is None or client.revoked:
            raise Unauthorized(
                "Invalid or expired token",
                reason=f"API client {token.client_id} was revoked, and so were its tokens",
            )
        return Caller(client, token)

    def _restricted(self, text: str, request: Request, environment: Environment) -> Caller:
        return Caller(
            self._credentials.authenticate_restricted(text, request.client_ip, environment)
        )

    @staticmethod
    def _missing(request: Request) -> Unauthorized:
        reason = "no Authorization header and no restricted access token"
        if carries_token(request):
            reason = "a token in the URL is never accepted; send it as 'Authorization: Bearer'"
        return Unauthorized("Authentication token not provided", reason=reason)


def carries_token(request: Request) -> bool:
    """Whether the path or the query contains what looks like a token."""
    return bool(_TOKEN_IN_URL.search(request.target))
