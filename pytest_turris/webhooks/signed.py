"""A signed webhook: what goes over the wire, its delivery, and its hostile variants."""

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_turris.core.text.redaction import mask, redact_target
from pytest_turris.receivers.exchange import Post, WebhookAnswer
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.observers import anotify, notify
from pytest_turris.webhooks.signature import SignatureScheme
from pytest_turris.webhooks.tampering import (
    TamperingError,
    with_members_changed,
    with_one_value_changed,
)

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class SignedWebhook:
    """One delivery, byte for byte, as it reaches a receiver.

    Args:
        body: The bytes that are sent; never parsed and written again.
        header_lines: The headers in order. A name may repeat, as hostile senders do.
        scheme: How the body is signed.
        signed_at: The moment of signing, which a timestamped scheme writes into the header.
    """

    body: bytes
    header_lines: tuple[tuple[str, str], ...]
    scheme: SignatureScheme
    signed_at: dt.datetime

    def __repr__(self) -> str:
        lines = [value for name, value in self.header_lines if self._is_signature(name)]
        signatures = ", ".join(mask(value) for value in lines) or "none"
        return (
            f"SignedWebhook({self.event_type}, {len(self.body)} bytes, "
            f"{self.scheme.header}: {signatures})"
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers for any HTTP client; of a repeated name the last line."""
        return dict(self.header_lines)

    @property
    def json(self) -> Any:  # noqa: ANN401 - a hand-made body may be any JSON
        """The parsed body; ValueError if it is not JSON."""
        return json.loads(self.body)

    @property
    def event_type(self) -> str | None:
        """The ``webhookType`` of the body, None if it has none."""
        try:
            name = self.json["webhookType"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return name if isinstance(name, str) else None

    def request(self, url: str) -> "httpx.Request":
        """The delivery as a request to a URL, for a client or a handler of one's own."""
        import httpx  # noqa: PLC0415 - receivers tested in process do without it

        sent = self._post("")
        return httpx.Request("POST", url, headers=sent.raw_headers, content=sent.body)

    def send(self, target: object, path: str = "", *, allow: Collection[str] = ()) -> WebhookAnswer:
        """Deliver to a receiver and return its answer.

        Args:
            target: A URL on this machine; an ASGI or WSGI application; an httpx, Starlette,
                Flask or Django client; or a function ``verify(body, headers) -> bool``, which
                answers 204 for True and 401 for False (our convention).
            path: The path inside an application, ``/`` unless given; appended to a URL.
            allow: The ``host:port`` that a URL may lead to besides this machine.

        Raises:
            TargetError: The target is not one of these.
            EgressRefused: The URL leads elsewhere.
            OSError: No answer came over the socket; through an httpx client, its RequestError.
        """
        reached = Target.of(target, path, allow=allow)
        sent = self._post(reached.path)
        answer = reached.post(sent)
        if answer.accepted:
            notify(reached, sent, lambda: self._described(reached))
        return answer

    async def asend(
        self, target: object, path: str = "", *, allow: Collection[str] = ()
    ) -> WebhookAnswer:
        """Deliver as ``send`` does, from a coroutine; the target may be an httpx.AsyncClient."""
        reached = Target.of(target, path, allow=allow)
        sent = self._post(reached.path)
        answer = await reached.apost(sent)
        if answer.accepted:
            await anotify(reached, sent, lambda: self._described(reached))
        return answer

    def tampered(self, **changes: object) -> "SignedWebhook":
        """The same signature over another body, which is valid JSON still.

        Without arguments one value inside the payload changes. With them, those members of the
        payload (in each entry of an array), or ``webhookType`` and ``upstreamEntityId``.

        Raises:
            ValueError: The body has nothing to change, or holds these values already.
        """
        if changes:
            return replace(self, body=with_members_changed(self.body, changes))
        return replace(self, body=with_one_value_changed(self.body))

    def unsigned(self) -> "SignedWebhook":
        """The same body without the signature header."""
        kept = (line for line in self.header_lines if not self._is_signature(line[0]))
        return replace(self, header_lines=tuple(kept))

    def signed_with(self, key: str | bytes) -> "SignedWebhook":
        """The same body signed with another key, the empty one too, at the same moment.

        A text is read as the scheme reads its keys; bytes sign as they are.
        """
        return self._with_signature(self.scheme.sign(self.body, key, at=self.signed_at))

    def truncated_signature(self, length: int = 10) -> "SignedWebhook":
        """Only the first characters of the signature, none for 0; prefix and timestamp stay.

        Receivers that compare the shorter length accept it (CVE-2024-21491).

        Raises:
            TamperingError: The length is the whole signature's, or there is none to cut.
        """
        value = next((value for name, value in self.header_lines if self._is_signature(name)), "")
        whole = self.scheme.signature_length
        if not 0 <= length < whole <= len(value):
            raise TamperingError(f"cannot cut a signature of {whole} characters to {length}")
        return self._with_signature(value[: len(value) - whole + length])

    def replayed(self) -> "SignedWebhook":
        """The same delivery again, byte for byte.

        It is genuine: nothing tells it from a resend by Turris. A receiver must accept it and
        must not act on it twice.
        """
        return replace(self)

    def _described(self, reached: Target) -> str:
        return f"{self!r} to {redact_target(reached.path or '/')}"

    def _post(self, path: str) -> Post:
        return Post(headers=self.header_lines, body=self.body, path=path)

    def _is_signature(self, name: str) -> bool:
        return name.lower() == self.scheme.header.lower()

    def _with_signature(self, value: str) -> "SignedWebhook":
        lines = (*self.unsigned().header_lines, (self.scheme.header, value))
        return replace(self, header_lines=lines)
