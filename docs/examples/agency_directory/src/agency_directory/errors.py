"""The errors that a call raises. No error contains a secret, a token or a request."""


class TurrisError(Exception):
    """The call failed. ``transient``: whether the same call may succeed later."""

    transient = False


class ConnectionLostError(TurrisError):
    """No response arrived, so it is unknown whether Turris processed the request."""

    transient = True


class UnexpectedAnswerError(TurrisError):
    """Turris answered, but not in the documented form."""


class ApiError(TurrisError):
    """Turris answered with an error; quote ``request_id`` to its support."""

    def __init__(
        self, status: int, error_type: str, messages: tuple[str, ...], request_id: str
    ) -> None:
        super().__init__(status, error_type, messages, request_id)
        self.status = status
        self.error_type = error_type
        self.messages = messages
        self.request_id = request_id

    def __str__(self) -> str:
        words = "; ".join(self.messages) or "no message"
        return f"{self.status} {self.error_type}: {words} (request {self.request_id})"


class UnauthorizedError(ApiError):
    """401: the token or the credentials are invalid."""


class NotFoundError(ApiError):
    """404: the record does not exist, or we may not see it."""


class RateLimitedError(ApiError):
    """429: too many requests in this minute."""

    transient = True


class ServerError(ApiError):
    """5xx: Turris failed."""

    transient = True


def error_class(status: int) -> type[ApiError]:
    """Return the most specific error class for a status."""
    if status >= 500:
        return ServerError
    known = {401: UnauthorizedError, 404: NotFoundError, 429: RateLimitedError}
    return known.get(status, ApiError)
