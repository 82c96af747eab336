"""What was seen of a client: its requests with their times, and the credentials in them."""

import base64
import datetime as dt
from dataclasses import dataclass, field
from urllib.parse import quote

from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.durations import moment
from pytest_turris.core.redaction import redact_target
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.hosts import is_turris
from pytest_turris.core.wire.messages import Request


@dataclass(eq=False)
class Sighting:
    """One request. ``status`` is 0 until it is answered, and stays so without an answer."""

    at: dt.datetime
    request: Request = field(repr=False)
    token: AccessToken | None = None
    foreign: bool = False
    """Whether it arrived somewhere other than at the API that the client is configured for."""
    status: int = 0

    @property
    def is_token_request(self) -> bool:
        """Whether it asks for a token."""
        return (self.request.method, self.request.path) == TOKEN_REQUEST

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the API, the token endpoint left out."""
        return not self.is_token_request and not self.foreign

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
    def key(self) -> str:
        """Its idempotency key, from either header."""
        request = self.request
        return request.header("idempotency-key") or request.header("x-idempotency-key")

    def holds(self, needles: list[str]) -> str:
        """Where one of these secrets stands in it: URL, a header's name, the body; or empty."""
        request = self.request
        if any(needle in request.target for needle in needles):
            return "the URL"
        for name, value in request.headers:
            if any(needle in value for needle in needles):
                return f"the header {name}"
        body = request.body.decode("utf-8", "replace")
        return "the body" if any(needle in body for needle in needles) else ""


def needles(sandbox: Sandbox, also: list[str]) -> list[str]:
    """What must not be seen: secrets, tokens, and other spellings of them."""
    secrets = [client.client_secret for client in sandbox.credentials]
    secrets += [client.previous_secret for client in sandbox.credentials if client.previous_secret]
    secrets += [token.token for token in sandbox.credentials.restricted]
    tokens = [token.text for token in sandbox.tokens]
    signatures = [text.rpartition(".")[2] for text in tokens]
    encoded = [base64.b64encode(secret.encode()).decode().rstrip("=") for secret in secrets]
    plain = [str(text) for text in (*secrets, *tokens, *signatures, *encoded, *also)]
    return [needle for text in dict.fromkeys(plain) if text for needle in {text, quote(text)}]


def restricted_and_bearer(sighting: Sighting) -> bool:
    """Whether both kinds of credentials were sent at once."""
    request = sighting.request
    return bool(request.header("authorization") and request.header(RESTRICTED_HEADER))


def story(sightings: list[Sighting], *, most: int = 16) -> str:
    """The requests as lines: time since the first, what, with which token, the answer."""
    if not sightings:
        return "    no request was seen"
    numbers: dict[str, int] = {}
    for seen in sightings:
        if seen.token:
            numbers.setdefault(seen.token.jti, len(numbers) + 1)
    lines = [_line(seen, sightings[0].at, numbers) for seen in sightings]
    if len(lines) > most:
        half = most // 2
        cut = f"    ... {len(lines) - most} more ..."
        lines = [*lines[:half], cut, *lines[-half:]]
    return "\n".join(lines)


def _line(seen: Sighting, start: dt.datetime, numbers: dict[str, int]) -> str:
    request = seen.request
    where = f" at {request.scheme}://{request.host}" if seen.foreign else ""
    line = (
        f"    +{moment(seen.at - start)}  {request.method} {redact_target(request.target)}{where}"
    )
    if seen.token:
        line += f", token {numbers[seen.token.jti]} of age {moment(seen.at - seen.token.issued_at)}"
    return f"{line} -> {seen.status or 'no answer'}"
