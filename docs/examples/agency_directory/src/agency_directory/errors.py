"""What can go wrong between us and Turris. No error carries a secret, a token or a request."""


class TurrisError(Exception):
    """The call failed; ``transient`` says whether the same call may succeed later."""

    transient = False


class ConnectionLostError(TurrisError):
    """No answer arrived, so nobody knows whether Turris did what was asked."""

    transient = True


class UnexpectedAnswerError(TurrisError):
    """Turris answered, but not in the form it documents."""


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
    """401: the token or the credentials are not, or no longer, good."""


class NotFoundError(ApiError):
    """404: there is no such record, or it is not ours to see."""


class RateLimitedError(ApiError):
    """429: too many requests in this minute."""

    transient = True


class ServerError(ApiError):
    """5xx: Turris failed."""

    transient = True


def error_class(status: int) -> type[ApiError]:
    """The most specific error for a status."""
    if status >= 500:
        return ServerError
    known = {401: UnauthorizedError, 404: NotFoundError, 429: RateLimitedError}
    return known.get(status, ApiError)
