"""``--turris-verify-webhooks``: whatever a receiver accepted is sent again with one bit flipped.

A suite that signs its webhooks well says nothing of a receiver that never looks at the signature.
"""

import functools
import re
from collections.abc import Awaitable, Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from pytest_turris.core.outbox.deliveries import Attempt, Delivery
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.redaction import redact_target
from pytest_turris.receivers.client_adapters import request_errors
from pytest_turris.receivers.exchange import Post, WebhookAnswer
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.sender import Sender
from pytest_turris.webhooks.signed import SignedWebhook

_LAST_DIGIT = re.compile(rb"[0-9](?=[^0-9]*$)")


class Verification:
    """Doubles every accepted delivery of the run by a forgery; an accepted one fails its test."""

    def __init__(self) -> None:
        self._accepted: list[str] = []
        self._tried = 0
        self._monkeypatch = pytest.MonkeyPatch()
        self._monkeypatch.setattr(SignedWebhook, "send", self._doubled(SignedWebhook.send))
        self._monkeypatch.setattr(SignedWebhook, "asend", self._adoubled(SignedWebhook.asend))
        self._monkeypatch.setattr(Sender, "send", self._delivered(Sender.send))

    def pytest_unconfigure(self) -> None:
        """Leave the class as it was."""
        self._monkeypatch.undo()

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
        """Say how many were tried: none at all is no proof."""
        terminalreporter.section("turris: are webhooks verified?", sep="-")
        terminalreporter.line(f"{self._tried} accepted webhook(s) sent again with one bit flipped")

    def _doubled(self, send: Callable[..., WebhookAnswer]) -> Callable[..., WebhookAnswer]:
        @functools.wraps(send)
        def doubled(
            webhook: SignedWebhook, target: object, path: str = "", *, allow: Collection[str] = ()
        ) -> WebhookAnswer:
            answer = send(webhook, target, path, allow=allow)
            forged = one_bit_off(webhook)
            if answer.accepted and forged:
                with self._trying(f"{forged!r} to {path or '/'}") as answers:
                    answers.append(send(forged, target, path, allow=allow))
            return answer

        return doubled

    def _adoubled(
        self, asend: Callable[..., Awaitable[WebhookAnswer]]
    ) -> Callable[..., Awaitable[WebhookAnswer]]:
        @functools.wraps(asend)
        async def doubled(
            webhook: SignedWebhook, target: object, path: str = "", *, allow: Collection[str] = ()
        ) -> WebhookAnswer:
            answer = await asend(webhook, target, path, allow=allow)
            forged = one_bit_off(webhook)
            if answer.accepted and forged:
                with self._trying(f"{forged!r} to {path or '/'}") as answers:
                    answers.append(await asend(forged, target, path, allow=allow))
            return answer

        return doubled

    def _delivered(self, send: Callable[..., Attempt]) -> Callable[..., Attempt]:
        """The same for what the engine delivers to registered receivers."""

        @functools.wraps(send)
        def delivered(
            sender: Sender, delivery: Delivery, endpoint: Endpoint, target: Target, number: int
        ) -> Attempt:
            attempt = send(sender, delivery, endpoint, target, number)
            body = flipped(delivery.body.encode())
            if attempt.succeeded and body:
                lines = tuple((name, value) for name, value in delivery.headers)
                url = redact_target(endpoint.url)
                with self._trying(
                    f"{delivery.webhook_type}, {len(body)} bytes, to {url}"
                ) as answers:
                    answers.append(target.post(Post(headers=lines, body=body, path=target.path)))
            return attempt

        return delivered

    @contextmanager
    def _trying(self, sent: str) -> Iterator[list[WebhookAnswer]]:
        """Count a forgery, and note it down if it is answered and accepted."""
        self._tried += 1
        answers: list[WebhookAnswer] = []
        with suppress(OSError, *request_errors()):  # to hang up is to refuse
            yield answers
        self._accepted += [f"  {sent} -> {one.status_code}" for one in answers if one.accepted]


def one_bit_off(webhook: SignedWebhook) -> SignedWebhook | None:
    """The webhook with one bit of its body flipped, None if it has no digit."""
    body = flipped(webhook.body)
    return replace(webhook, body=body) if body else None


def flipped(body: bytes) -> bytes | None:
    """The body with the lowest bit of its last digit flipped, None if it has no digit.

    It stays valid JSON of the same shape, so that nothing but the signature can be the reason
    to refuse it.
    """
    found = _LAST_DIGIT.search(body)
    if found is None:
        return None
    at = found.start()
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
