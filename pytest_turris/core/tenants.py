"""Several sandboxes behind one door; the credential in a request selects one of them."""

from functools import lru_cache

from pydantic_core import from_json

from pytest_turris.core.access.authentication import RESTRICTED_HEADER
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode

_LARGEST_TOKEN_REQUEST = 65_536
_LONGEST_TOKEN = 8_192


class NoSandboxError(TurrisKitError, LookupError):
    """A request came while no sandbox was behind the door."""


class TenantDirectory:
    """The sandboxes that share a door. A request without a known credential goes to the newest."""

    def __init__(self) -> None:
        self._sandboxes: list[Sandbox] = []

    def __len__(self) -> int:
        return len(self._sandboxes)

    def add(self, sandbox: Sandbox) -> None:
        """Put a sandbox behind the door."""
        self._sandboxes = [sandbox, *self._sandboxes]

    def remove(self, sandbox: Sandbox) -> None:
        """Remove a sandbox from the door."""
        self._sandboxes = [other for other in self._sandboxes if other is not sandbox]

    def handle(self, request: Request) -> Response:
        """Pass a request to the sandbox that ``find`` returns.

        Raises:
            NoSandboxError: There is none.
            ConnectionFailure: A scripted fault.
        """
        return self.find(request).handle(request)

    def answer(self, request: Request) -> Response:
        """Answer like ``handle``, or with a 503 if there is no sandbox: doors outlive a test.

        Raises:
            ConnectionFailure: A scripted fault.
        """
        try:
            return self.handle(request)
        except NoSandboxError as error:
            body = encode(error_document(503, "internal_error", [str(error)]))
            return Response(status=503, headers=JSON_HEADERS, body=body)

    def find(self, request: Request) -> Sandbox:
        """The sandbox that issued the request's credential, else the newest.

        Raises:
            NoSandboxError: There is none.
        """
        sandboxes = self._sandboxes
        if not sandboxes:
            raise NoSandboxError("no sandbox is behind this door; is the test over?")
        if len(sandboxes) == 1:
            return sandboxes[0]
        named = credentials_in(request)
        for sandbox in sandboxes:
            if any(sandbox.credentials.has(credential) for credential in named):
                return sandbox
        return sandboxes[0]


def credentials_in(request: Request) -> list[str]:
    """The client id and the restricted access token in a request, not validated."""
    return [c for c in (_client_id(request), request.header(RESTRICTED_HEADER)) if c]


def _client_id(request: Request) -> str:
    bearer = request.header("authorization").partition(" ")[2].strip()
    if bearer:
        # No sandbox issues a longer one, and what is remembered must not fill the memory.
        return _subject(bearer) if len(bearer) <= _LONGEST_TOKEN else ""
    if not request.is_token_request or len(request.body) > _LARGEST_TOKEN_REQUEST:
        return ""
    try:
        document = from_json(request.body)
    except ValueError:
        return ""
    return str(document.get("clientId", "")) if isinstance(document, dict) else ""


@lru_cache(maxsize=1024)
def _subject(token: str) -> str:
    """The client of an access token, not validated; a client sends its token many times."""
    from pytest_turris.core.access.jws import unverified  # noqa: PLC0415 - it needs cryptography

    return str(unverified(token).get("sub", ""))
