"""The errors that the API answers with, as one tree, and broken connections.

::

    TurrisError                      what a client sees: status, errorType, errorMessage
    ├── InvalidInput           400   a rule of the body, path or query failed
    ├── Unauthorized           401   no, wrong or forged credential
    │   └── ExpiredToken       401   a token that was valid once
    ├── Forbidden              403   a valid credential without the permission
    ├── NotFound               404   no such record
    │   └── UnknownOperation   404   no such path, or not with this method
    ├── MethodNotAllowed       405   a known path, with another method
    ├── Conflict               409   there is such a record already
    ├── Gone                   410   a deprecated operation after its sunset date
    ├── PayloadTooLarge        413   the body is longer than the sandbox reads
    ├── Unprocessable          422   valid, but in conflict with an earlier request
    ├── RateLimitExceeded      429   more calls in the window than the limit
    └── ScriptedError          any   a fault that the test asked for
    ConnectionFailure                no answer: a fault that the test asked for

Statuses and ``errorType`` values are documented (guides/error-handling, guides/rate-limiting);
the ``errorType`` of 405 and 410 is assumed to be ``not_found``, that of 409, 413 and
422 ``invalid_input``.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

_LOWEST_SERVER_ERROR = 500
_TYPES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    410: "not_found",
    429: "rate_limit_exceeded",
}


def error_document(
    status: int,
    error_type: str,
    messages: Iterable[str],
    *,
    request_id: str = "",
    timestamp: str = "",
) -> dict[str, Any]:
    """The JSON document of an error (documented: guides/error-handling).

    Args:
        status: The HTTP status.
        error_type: Such as ``invalid_input``.
        messages: One for each failed rule.
        request_id: Left out if empty: an error from outside the API has no request id.
        timestamp: In ISO 8601; left out if empty.
    """
    optional = {"requestId": request_id} if request_id else {}
    document: dict[str, Any] = {"statusCode": status} | optional
    document |= {"errorType": error_type, "errorMessage": list(messages)}
    return document | ({"timestamp": timestamp} if timestamp else {})


def error_type_of(status: int) -> str:
    """The ``errorType`` of a status, whether the sandbox refuses or a test scripts it.

    Six values are documented; a status that has none gets the nearest one (assumed).
    """
    if status >= _LOWEST_SERVER_ERROR:
        return "internal_error"
    return _TYPES.get(status, "invalid_input")


class TurrisError(Exception):
    """A refusal: the ``errorMessage`` that the client gets, and the ``reason`` for humans."""

    status: int
    is_client_error: ClassVar[bool] = False
    """Whether the client broke the contract; it then fails a test that did not expect it."""

    def __init__(self, *messages: str, reason: str = "") -> None:
        super().__init__(*messages)
        self.messages = messages
        self.reason: str = reason or "; ".join(messages)
        self.headers: tuple[tuple[str, str], ...] = ()

    @property
    def type(self) -> str:
        """The ``errorType`` member."""
        return error_type_of(self.status)


class InvalidInput(TurrisError):
    """400 ``invalid_input``: one message per failed rule, class-validator style."""

    status = 400
    is_client_error = True


class Unauthorized(TurrisError):
    """401 ``unauthorized``."""

    status = 401


class ExpiredToken(Unauthorized):
    """401 ``unauthorized``: the token was valid once."""


class Forbidden(TurrisError):
    """403 ``forbidden``."""

    status = 403


class NotFound(TurrisError):
    """404 ``not_found``: the record does not exist for this upstream entity."""

    status = 404


class UnknownOperation(NotFound):
    """404 ``not_found``: no documented operation has this path and method."""

    is_client_error = True


class MethodNotAllowed(TurrisError):
    """405: a known path, with another method (option ``unknown_method``)."""

    status = 405
    is_client_error = True


class Conflict(TurrisError):
    """409: there is such a record already (option ``duplicate_agent``)."""

    status = 409
    is_client_error = True


class Gone(TurrisError):
    """410: a deprecated operation after its sunset date."""

    status = 410
    is_client_error = True


class PayloadTooLarge(TurrisError):
    """413: the body is longer than the sandbox reads."""

    status = 413
    is_client_error = True


class Unprocessable(TurrisError):
    """422: well formed, but in conflict with an earlier request."""

    status = 422
    is_client_error = True


class RateLimitExceeded(TurrisError):
    """429 ``rate_limit_exceeded``."""

    status = 429


class ScriptedError(TurrisError):
    """A fault asked for with ``turris.faults.add(..., status=...)``."""

    def __init__(self, status: int, *messages: str) -> None:
        super().__init__(*messages, reason=f"scripted fault: {status}")
        self.status = status


class ConnectionFailure(Exception):
    """No answer; each door turns it into its library's own connection error.

    ``connect``: the connection was refused. ``reset``: it broke before the answer.
    """

    takes_effect = True
    """What the call changed stays: only its answer is lost."""

    def __init__(self, kind: Literal["connect", "reset"], detail: str = "") -> None:
        super().__init__(f"scripted fault: {detail or kind}")
        self.kind = kind
        self.delay: dt.timedelta = dt.timedelta(0)
        """How long it took to fail, on the sandbox's clock."""
