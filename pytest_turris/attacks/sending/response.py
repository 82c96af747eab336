"""The response to the webhook of one step."""

from dataclasses import dataclass

from pytest_turris.attacks.judging.pace import Elapsed
from pytest_turris.receivers.exchange import WebhookResponse

_NO_TIME = Elapsed(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverResponse:
    """The receiver's response to one request.

    Args:
        answer: The answer; None if there was none.
        reason: Why there was no answer, or none at first if it was sent again.
        silent: The receiver neither answered nor closed the connection.
        error: Why there was no answer, as an exception.
        blocked: The answer came only when the request alongside was given up.
        seconds: How long this request took.
        memory: By how many bytes the receiver's memory grew meanwhile, if that was watched.
    """

    answer: WebhookResponse | None
    reason: str = ""
    silent: bool = False
    error: Exception | None = None
    blocked: bool = False
    seconds: Elapsed = _NO_TIME
    memory: int | None = None
