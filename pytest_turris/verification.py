"""``--turris-verify-webhooks``: whatever a receiver accepted is sent again with one bit flipped.

A suite that signs its webhooks well says nothing of a receiver that never looks at the signature.
"""

import functools
import re
from collections.abc import Awaitable, Callable, Collection, Generator
from dataclasses import replace

import pytest

from pytest_turris.webhooks.exchange import WebhookAnswer
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
                self._note(forged, path, send(forged, target, path, allow=allow))
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
                self._note(forged, path, await asend(forged, target, path, allow=allow))
            return answer

        return doubled

    def _note(self, forged: SignedWebhook, path: str, answer: WebhookAnswer) -> None:
        self._tried += 1
        if answer.accepted:
            self._accepted.append(f"  {forged!r} to {path or '/'} -> {answer.status_code}")


def one_bit_off(webhook: SignedWebhook) -> SignedWebhook | None:
    """The webhook with the lowest bit of its last digit flipped, None if it has no digit.

    It stays valid JSON of the same shape, so that nothing but the signature can be the reason
    to refuse it.
    """
    found = _LAST_DIGIT.search(webhook.body)
    if found is None:
        return None
    at = found.start()
    body = webhook.body[:at] + bytes([webhook.body[at] ^ 1]) + webhook.body[at + 1 :]
    return replace(webhook, body=body)
