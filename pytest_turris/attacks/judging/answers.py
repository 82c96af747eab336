"""Whether a status is one that a good receiver answers with."""

from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.step import AttackStep
from pytest_turris.receivers.exchange import WebhookResponse

_NOT_IMPLEMENTED = 501
_TOO_MANY = 429
_UNAVAILABLE = 503
_SERVER_ERROR = 500

_STATUSES = {
    "accept": range(200, 300),
    "refuse": range(400, 500),
    "either": (*range(200, 300), *range(400, 500)),
    "not accept": range(300, 500),
    "fail": (*range(100, 200), *range(300, 600)),
    "any": range(100, 600),
}
_WANTED = {
    "accept": "2xx",
    "refuse": "4xx",
    "either": "2xx or 4xx",
    "not accept": "3xx or 4xx",
    "fail": "anything but 2xx",
    "any": "an answer",
}


def is_fine(step: AttackStep, response: ReceiverResponse) -> bool:
    """Whether the status, or its absence, is as expected."""
    expected = step.expected
    if response.answer is None:
        hung_up = expected.may_hang_up and not response.silent
        return hung_up or expected.may_stay_silent or expected.answers == "fail"
    status = response.answer.status_code
    # RFC 9110, 15.6.2: for a method that the server does not support for any resource.
    if status == _NOT_IMPLEMENTED and step.transmission.method != "POST":
        return expected.answers != "accept"
    return status in _STATUSES[expected.answers] or is_expected_refusal(step, response)


def is_expected_refusal(step: AttackStep, response: ReceiverResponse) -> bool:
    """Whether the status is one of those that are fine besides, and have no effect."""
    answer = response.answer
    return answer is not None and answer.status_code in step.expected.refusals


def is_crash(response: ReceiverResponse) -> bool:
    """Whether the receiver failed over it: 5xx, or no answer at all."""
    return response.answer is None or response.answer.status_code >= _SERVER_ERROR


def wanted(step: AttackStep) -> str:
    """What a good receiver answers, in words."""
    closed = ", or the end of the connection" if step.expected.may_hang_up else ""
    return _WANTED[step.expected.answers] + closed


def limits_rates(answer: WebhookResponse) -> bool:
    """Whether an answer says that there were too many requests (RFC 6585, 4; RFC 9110, 10.2.3).

    It says nothing about the request, whose signature was not looked at.
    """
    unavailable = answer.status_code == _UNAVAILABLE
    return answer.status_code == _TOO_MANY or (unavailable and "retry-after" in answer.headers)


def is_unavailable(answer: WebhookResponse | None) -> bool:
    """Whether an answer may say so: some servers answer 503 to too many requests."""
    return answer is not None and answer.status_code in (_TOO_MANY, _UNAVAILABLE)
