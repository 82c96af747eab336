"""The requests of a client with their times, and the credentials in them."""

import base64
import datetime as dt
from dataclasses import dataclass, field
from urllib.parse import quote

from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.durations import moment
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.core.wire.hosts import is_turris
from pytest_turris.core.wire.messages import Request


@dataclass(eq=False)
class RecordedRequest:
    """One request. ``status`` is 0 until it is answered, and stays 0 without an answer."""

    at: dt.datetime
    request: Request = field(repr=False)
    token: AccessToken | None = None
    elsewhere: bool = False
    """Whether it went to a place other than the API that the client is configured for."""
    status: int = 0
    earliest_deadline: float = 0.0
    """Seconds before which no deadline of the client's event loop can have ended its wait for a
    late answer; 0 if that is unknown."""

    @property
    def is_token_request(self) -> bool:
        """Whether it asks for a token."""
        return self.request.is_token_request

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the API other than a token request."""
        return not self.is_token_request and not self.elsewhere

    @property
    def is_write(self) -> bool:
        """Whether it is a call that changes something."""
        return self.is_api and self.request.method != "GET"

    @property
    def in_process(self) -> bool:
        """Whether it came without a socket."""
        return is_turris(self.request.host)

    @property
    def age(self) -> dt.timedelta | None:
        """How old its token was."""
        return self.at - self.token.issued_at if self.token else None

    @property
    def is_expired(self) -> bool:
        """Whether its token had expired when it was sent."""
        return self.token is not None and self.at >= self.token.expires_at

    @property
    def key(self) -> str:
        """Its idempotency key, from either header."""
        request = self.request
        return next(filter(None, map(request.header, IDEMPOTENCY_HEADERS)), "")

    def find(self, secrets: list[str]) -> str:
        """The place of the first secret in it: the URL, a header or the body; or empty."""
        request = self.request
        if any(secret in request.target for secret in secrets):
            return "the URL"
        for name, value in request.headers:
            if any(secret in value for secret in secrets):
                return f"the header {name}"
        body = request.body.decode("utf-8", "replace")
        return "the body" if any(secret in body for secret in secrets) else ""


def request_secrets(sandbox: Sandbox, also: list[str]) -> list[str]:
    """What must not show: secrets, tokens, and their other spellings."""
    secrets = [client.client_secret for client in sandbox.credentials]
    secrets += [client.previous_secret for client in sandbox.credentials if client.previous_secret]
    secrets += [token.token for token in sandbox.credentials.restricted]
    tokens = [token.text for token in sandbox.tokens]
    signatures = [text.rpartition(".")[2] for text in tokens]
    encoded = [form for secret in secrets for form in request_spellings(secret)]
    plain = [str(text) for text in (*secrets, *tokens, *signatures, *encoded, *also)]
    return [form for text in dict.fromkeys(plain) if text for form in {text, quote(text)}]


def pieces_of(sandbox: Sandbox, length: int) -> set[str]:
    """All pieces of the secrets, without their known beginning, and of the tokens' signatures."""
    texts = [client.client_secret.rpartition("_")[2] for client in sandbox.credentials]
    texts += [token.text.rpartition(".")[2] for token in sandbox.tokens]
    return {text[at : at + length] for text in texts for at in range(len(text) - length + 1)}


def request_spellings(secret: str) -> list[str]:
    """The spellings of a secret in a request: plain, percent-encoded, or inside Base64."""
    inside = []
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + secret.encode()).decode()
        # The characters at both ends depend on the text around the secret.
        inside.append(encoded.rstrip("=")[4 if before else 0 : -2])
    return [secret, quote(secret, safe=""), *inside]


def has_both_credentials(recorded: RecordedRequest) -> bool:
    """Whether it carried a bearer token and a restricted access token at once."""
    request = recorded.request
    return bool(request.header("authorization") and request.header(RESTRICTED_HEADER))


def timeline(requests: list[RecordedRequest], *, at_most: int = 16) -> str:
    """A line for each request: time since the first, what, with which token, the answer."""
    if not requests:
        return "no request"
    numbers: dict[str, int] = {}
    for seen in requests:
        if seen.token:
            numbers.setdefault(seen.token.jti, len(numbers) + 1)
    lines = [_line(seen, requests[0].at, numbers) for seen in requests]
    if len(lines) > at_most:
        half = at_most // 2
        cut = f"... {len(lines) - at_most} more ..."
        lines = [*lines[:half], cut, *lines[-half:]]
    return "\n".join(lines)


def _line(seen: RecordedRequest, start: dt.datetime, numbers: dict[str, int]) -> str:
    request = seen.request
    where = f" at {request.scheme}://{request.host}" if seen.elsewhere else ""
    line = f"+{moment(seen.at - start)}  {request.method} {redact_target(request.target)}{where}"
    if seen.token:
        line += f", token {numbers[seen.token.jti]} of age {moment(seen.at - seen.token.issued_at)}"
    return f"{line} -> {seen.status or 'no answer'}"
