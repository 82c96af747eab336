"""Why a genuine webhook was not accepted, in one sentence with the fix."""

from collections.abc import Iterator

from pytest_turris.attacks.description import redacted
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.series.no_answer import why_no_answer
from pytest_turris.attacks.step import AttackStep
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.receivers.target import AsgiTarget, VerifierTarget

_SERVER_ERROR = 500
_GATEWAY = "wrong key, path, host, or a gateway in front of it?"

_STATUSES = {
    404: "wrong path?",
    405: "this path does not take POST; wrong path?",
    411: "it asks for Content-Length, which is sent: does a proxy take it away?",
    413: "its limit is smaller than a webhook",
    415: "it refuses application/json; wrong path?",
    421: "wrong host name?",
    422: "it expects a body of another shape; wrong path, or wrong entity?",
    426: "it asks for another protocol",
    505: "it asks for another version of HTTP",
}


def why_refused(receiver: Receiver, step: AttackStep, response: ReceiverResponse, key: str) -> str:
    """Return the cause of an answer that is not 2xx, or of none.

    Args:
        receiver: The receiver.
        step: The genuine webhook that was sent.
        response: What came back.
        key: The signing key, which is masked.
    """
    if response.answer is not None:
        why = next(_why_status(receiver, step, response.answer, key))
        return redacted(f"{response.answer.status_code} to a genuine webhook: {why}", key)
    where = receiver.destination(step)
    if where is None:
        return redacted(f"no answer to a genuine webhook: {response.reason}", key)
    return redacted(why_no_answer(where, response, key), key)


def _why_status(
    receiver: Receiver, step: AttackStep, answer: WebhookResponse, key: str
) -> Iterator[str]:
    """The causes that fit, the likeliest first."""
    status = answer.status_code
    # Cut afterwards: the first half of a key would not be known as one.
    said = redacted(" ".join(answer.text.split()), key)[:100]
    if answer.error is not None:
        yield f"the application raised {answer.error!r}{_start_up(receiver)}"
    if asked := answer.headers.get("www-authenticate"):
        scheme = asked.strip().partition(" ")[0] or "an empty challenge"
        yield f"a gateway asks for HTTP authentication ({scheme}); send its header, too"
    if goal := answer.headers.get("location"):
        yield f"it redirects to {goal!r}; use that URL or path"
    if status == 400 and "https" in said.lower():  # noqa: PLR2004 - as nginx and Go say
        yield "the port speaks TLS; use https:// in the URL"
    if status in _STATUSES:
        yield f"{_STATUSES[status]} (the path is {receiver.shown_path(step)})"
    if status >= _SERVER_ERROR:
        says = f" ({said!r})" if said else ""
        yield f"it fails{says}; see its log{_start_up(receiver)}"
    if status == 400:  # noqa: PLR2004 - the one status that says nothing by itself
        yield f"does it refuse the host name, or a member of the webhook? It says {said!r}"
    yield _GATEWAY


def _start_up(receiver: Receiver) -> str:
    """Return what may be wrong in a test with an ASGI application or a function."""
    if isinstance(receiver.target, VerifierTarget):
        return ". It was called as verify(body, headers)"
    if not isinstance(receiver.target, AsgiTarget):
        return ""
    return ". Did its start-up (ASGI lifespan) run, and make what it needs?"
