"""All credentials of a sandbox: issued, rotated, revoked.

Derived from guides/security, which says to keep the environments apart: the sandbox environment
refuses credentials of the production environment, and vice versa.
"""

import datetime as dt
import hmac
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from pytest_turris.core.access.allowlist import networks
from pytest_turris.core.access.credential import (
    ALL_PERMISSIONS,
    CLIENT_MARK,
    ROTATED,
    SECRET_MARK,
    ApiClient,
    Credential,
    CredentialError,
    Permission,
    RestrictedAccessToken,
    as_row,
    checked_kind,
    checked_mark,
    client_of,
    known_environment,
    known_permissions,
    overlap_that_ended,
    replace_secret,
    restricted_of,
    shorten_overlap,
)
from pytest_turris.core.access.outlived import no_test, of_another_test
from pytest_turris.core.changes import Changes, Row
from pytest_turris.core.clock import Clock
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.text.redaction import Secret
from pytest_turris.core.undo import Undo, whole
from pytest_turris.core.wire.errors import Forbidden, Unauthorized
from pytest_turris.core.wire.hosts import Environment


class Credentials:
    """All credentials of one sandbox. Iterating gives the API clients."""

    undo: Undo = Undo()
    """Guards the changes, and takes them back if they fail."""
    changes: Changes | None = None
    """Where changed rows are noted, if something keeps the state."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._clients: dict[str, ApiClient] = {}
        self._restricted: dict[str, RestrictedAccessToken] = {}
        self.on_issue: Callable[[str], object] | None = None
        """Called with each client id and restricted access token, before the caller gets it."""
        self.on_rotate: Callable[[ApiClient], object] | None = None
        """Called with each API client whose secret was rotated, or changed by a restore."""
        self.test_of: Callable[[str], str] = no_test
        """Which test has, or had, the API client with an id."""

    def __iter__(self) -> Iterator[ApiClient]:
        return iter(tuple(self._clients.values()))

    @whole
    def issue(
        self,
        *,
        environment: Environment = "sandbox",
        permissions: Iterable[Permission] = ALL_PERMISSIONS,
        client_id: str = "",
        client_secret: str = "",
    ) -> ApiClient:
        """A new API client.

        Args:
            environment: ``sandbox`` or ``production``.
            permissions: What it may do.
            client_id: Its id; a new one by default. It begins with ``turris_sandbox_client_``.
            client_secret: Its secret; a new one by default. It begins with
                ``turris_sandbox_secret_``.

        Raises:
            UnknownNameError: There is no such permission or environment.
            CredentialError: The id or the secret may be a real one, is in use, or is too short.
        """
        if client_id in self._clients:
            raise CredentialError(f"the client id {client_id!r} is in use")
        client = ApiClient(
            client_id=checked_mark("client id", client_id, CLIENT_MARK)
            or self._randomness.client_id(),
            client_secret=Secret(checked_mark("client secret", client_secret, SECRET_MARK))
            or self._randomness.secret("secret"),
            environment=known_environment(environment),
            permissions=known_permissions(permissions),
        )
        self.undo.item(self._clients, client.client_id)
        self._clients[client.client_id] = client
        self._mark(client)
        self._announce(client.client_id)
        return client

    @whole
    def issue_restricted(
        self,
        *,
        allowed: Iterable[str] = (),
        environment: Environment = "sandbox",
        permissions: Iterable[Permission] = ALL_PERMISSIONS,
    ) -> RestrictedAccessToken:
        """A new restricted access token, for addresses such as ``"10.0.0.0/8"`` or ``"::1"``.

        Raises:
            AllowlistError: An entry of ``allowed`` is neither an address nor a network.
            UnknownNameError: There is no such permission or environment.
        """
        token = RestrictedAccessToken(
            token=self._randomness.secret("token"),
            allowed=networks(allowed),
            permissions=known_permissions(permissions),
            environment=known_environment(environment),
        )
        self.undo.item(self._restricted, token.token)
        self._restricted[token.token] = token
        self._mark(token)
        self._announce(token.token)
        return token

    @whole
    def rotate(self, client: ApiClient, *, overlap: dt.timedelta | None = None) -> ApiClient:
        """Give a client a new secret; the old one stays valid for ``overlap``, if given.

        Tokens of the old secret stay valid until they expire (assumed). A test's environment keeps
        it: set ``TURRIS_CLIENT_SECRET`` to ``str(client.client_secret)``.

        Raises:
            CredentialError: It is not an API client, but its id; or the overlap is negative.
        """
        checked_kind(client, ApiClient)
        self.undo.attributes(client, *ROTATED)
        replace_secret(client, self._randomness.secret("secret"), self._clock.now(), overlap)
        self._mark(client)
        if self.on_rotate:
            self.on_rotate(client)
        return client

    @whole
    def revoke(self, credential: Credential) -> None:
        """Refuse a credential, and every token issued for it from now on.

        Raises:
            CredentialError: It is not a credential, but its id, for example.
        """
        checked_kind(credential, ApiClient, RestrictedAccessToken)
        self.undo.attributes(credential, "revoked")
        credential.revoked = True
        self._mark(credential)

    def client(self, client_id: str) -> ApiClient | None:
        """The API client with that id, if there is one."""
        return self._clients.get(client_id)

    @property
    def restricted(self) -> tuple[RestrictedAccessToken, ...]:
        """The restricted access tokens, revoked ones included, oldest first."""
        return tuple(self._restricted.values())

    def has(self, credential: str) -> bool:
        """Whether this sandbox issued the client id or restricted access token."""
        return credential in self._clients or credential in self._restricted

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all credentials, as the journal and the rate limits have them."""
        return (*self._clients, *(token.name for token in self._restricted.values()))

    @property
    def issued(self) -> tuple[str, ...]:
        """All client ids and restricted access tokens."""
        return (*self._clients, *self._restricted)

    def authenticate(self, client_id: str, secret: str, environment: Environment) -> ApiClient:
        """The client that this id and secret belong to.

        Raises:
            Unauthorized: Unknown id, wrong or outdated secret, revoked, or of the other
                environment. The message is always the same; the journal has the reason.
        """
        client = self._clients.get(client_id)
        if not client_id:
            raise _refused("clientId is empty: was it read before the sandbox set it, at import?")
        if client is None:
            outlived = of_another_test(self.test_of(client_id))
            raise _refused(f"unknown clientId: this sandbox did not issue it{outlived}")
        if not _same(secret, client.client_secret):
            self._check_previous(client, secret)
        if client.revoked:
            raise _refused(f"API client {client.client_id} was revoked")
        if client.environment != environment:
            raise _refused(
                f"API client {client.client_id} belongs to the {client.environment} environment, "
                f"the request went to {environment}"
            )
        return client

    def authenticate_restricted(
        self, token: str, client_ip: str, environment: Environment
    ) -> RestrictedAccessToken:
        """The restricted access token, checked in the documented order: validity, then IP.

        Raises:
            Unauthorized: Unknown, revoked, or of the other environment.
            Forbidden: The address is not in the allowlist.
        """
        found = self._restricted.get(token)
        if found is None:
            raise Unauthorized(
                "Invalid restricted access token",
                reason="unknown restricted access token: this sandbox did not issue it",
            )
        if found.revoked or found.environment != environment:
            raise Unauthorized(
                "Invalid restricted access token",
                reason=f"restricted access token {found.name} was revoked"
                if found.revoked
                else f"restricted access token {found.name} belongs to the {found.environment} "
                f"environment, the request went to {environment}",
            )
        if not found.allows(client_ip):
            raise Forbidden(
                f'IP address "{client_ip}" not in allowed list for token "{found.name}"'
            )
        return found

    def rows(self) -> Iterator[Row]:
        """All credentials as rows of the state."""
        for client_id, client in self._clients.items():
            yield "credentials.clients", client_id, as_row(client)
        for text, token in self._restricted.items():
            yield "credentials.restricted", text, as_row(token)

    def snapshot(self) -> dict[str, Any]:
        """All credentials as JSON data, with their secrets, which are fakes."""
        return {
            "clients": [as_row(client) for client in self._clients.values()],
            "restricted": [as_row(token) for token in self._restricted.values()],
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Replace all credentials with a snapshot's."""
        self._clients = {row["client_id"]: client_of(row) for row in data["clients"]}
        self._restricted = {row["token"]: restricted_of(row) for row in data["restricted"]}
        self._announce(*self.issued)

    def take_over(self, member: str, key: str, row: dict[str, Any]) -> None:
        """Take over a credential that was issued or changed elsewhere."""
        if member == "restricted":
            is_new = key not in self._restricted
            self._restricted[key] = restricted_of(row)
        else:
            client = self._clients.setdefault(key, after := client_of(row))
            is_new, rotated = client is after, client.client_secret != after.client_secret
            vars(client).update(vars(after))  # as a rotation does: others hold it
            if rotated and self.on_rotate:
                self.on_rotate(client)
        if is_new:
            self._announce(key)

    def _mark(self, credential: Credential) -> None:
        if self.changes is not None:
            plain = partial(as_row, credential)
            if isinstance(credential, ApiClient):
                self.changes.mark("credentials.clients", credential.client_id, plain)
            else:
                self.changes.mark("credentials.restricted", credential.token, plain)

    def _announce(self, *credentials: str) -> None:
        if self.on_issue:
            for credential in credentials:
                self.on_issue(credential)

    def _check_previous(self, client: ApiClient, secret: str) -> None:
        if client.previous_secret is None or not _same(secret, client.previous_secret):
            raise _refused(f"wrong clientSecret for {client.client_id}")
        self.undo.attributes(client, *ROTATED)
        if shorten_overlap(client, self._clock.now()):
            self._mark(client)
        if ended := overlap_that_ended(client, self._clock.now()):
            raise _refused(ended)


def _refused(reason: str) -> Unauthorized:
    return Unauthorized("Invalid client credentials", reason=reason)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
