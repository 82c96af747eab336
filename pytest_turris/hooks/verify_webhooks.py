"""``--turris-verify-webhooks``: each webhook that a receiver accepted is sent again, forged.

A suite that signs its webhooks correctly does not show whether the receiver checks signatures.
"""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from pytest_turris.core.text.plurals import counted
from pytest_turris.receivers.exchange import Post, WebhookResponse
from pytest_turris.webhooks.observers import AcceptedDelivery, add_observer, remove_observer

_NAME = "turris_verify_webhooks"
_LAST_DIGIT = re.compile(rb"[0-9](?=[^0-9]*$)")


def begin_verification(config: pytest.Config) -> None:
    """Send a forgery after every accepted delivery of the run."""
    config.pluginmanager.register(WebhookVerification(), _NAME)


class WebhookVerification:
    """Sends a forgery after every accepted delivery; a test whose receiver accepts one fails."""

    def __init__(self) -> None:
        self._accepted: list[str] = []
        self._tried = 0
        self._taken = 0
        add_observer(self)

    def pytest_unconfigure(self) -> None:
        """Stop observing."""
        remove_observer(self)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Fail the test whose receiver accepted a forgery."""
        __tracebackhide__ = True
        self._accepted.clear()
        result = yield
        if self._accepted:
            found = "\n".join(self._accepted)
            pytest.fail(
                f"turris: a forged webhook was accepted, so signatures are not verified:\n{found}",
                pytrace=False,
            )
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Report how many forgeries were sent: a run that sent none proves nothing."""
        terminalreporter.section("turris: are webhooks verified?", sep="-")
        terminalreporter.line(
            f"{counted(self._tried, 'accepted webhook')} sent again with one bit flipped"
        )

    def delivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Send the forgery of an accepted delivery."""
        if forged := _forged(delivery):
            with self._trying(delivery) as responses:
                responses.append(delivery.target.post(forged))

    async def adelivery_accepted(self, delivery: AcceptedDelivery) -> None:
        """Send the forgery of an accepted delivery, from a coroutine."""
        if forged := _forged(delivery):
            with self._trying(delivery) as responses:
                responses.append(await delivery.target.apost(forged))

    def take_results(self) -> tuple[int, list[str]]:
        """How many forgeries were sent since the last call, and those that were accepted."""
        tried, self._taken = self._tried - self._taken, self._tried
        return tried, list(self._accepted) if tried else []

    @contextmanager
    def _trying(self, delivery: AcceptedDelivery) -> Iterator[list[WebhookResponse]]:
        """Count a forgery, and record it if the receiver accepts it."""
        self._tried += 1
        responses: list[WebhookResponse] = []
        with suppress(*delivery.target.no_response_errors):  # a receiver that hangs up has refused
            yield responses
        self._accepted += [
            f"  {delivery.description} -> {response.status_code}"
            for response in responses
            if response.accepted
        ]


def _forged(delivery: AcceptedDelivery) -> Post | None:
    body = with_flipped_bit(delivery.sent.body)
    return replace(delivery.sent, body=body) if body else None


def with_flipped_bit(body: bytes) -> bytes | None:
    """Flip the lowest bit of a body's last digit; None if the body has no digit.

    The body stays valid JSON of the same shape, so that only the signature is a reason to refuse
    it.
    """
    found = _LAST_DIGIT.search(body)
    if found is None:
        return None
    at = found.start()
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
