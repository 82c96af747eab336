"""A signed webhook: its bytes, how it is delivered, and its hostile variants."""

import datetime as dt
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pytest_turris.core.text.redaction import mask, redact_target
from pytest_turris.receivers.exchange import Post, WebhookResponse
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
    """A webhook as it reaches a receiver, byte for byte.

    Args:
        body: The bytes that are sent, never parsed and written again.
        header_lines: The headers in order. A name may repeat, as hostile senders repeat it.
        scheme: How the body is signed.
        signed_at: The moment of signing, which a timestamped scheme writes into a header.
        message_id: The message's id, where the scheme has one.
    """

    body: bytes
    header_lines: tuple[tuple[str, str], ...]
    scheme: SignatureScheme
    signed_at: dt.datetime
    message_id: str = ""

    def __repr__(self) -> str:
        lines = [value for name, value in self.header_lines if self._is_signature(name)]
        signatures = ", ".join(mask(value) for value in lines) or "none"
        return (
            f"SignedWebhook({self.event_type}, {len(self.body)} bytes, "
            f"{self.scheme.header}: {signatures})"
        )

    @property
    def headers(self) -> dict[str, str]:
        """The headers for any HTTP client; the last line of a repeated name."""
        return dict(self.header_lines)

    @property
    def json(self) -> Any:  # noqa: ANN401 - a hand-made body may be any JSON
        """The parsed body; ValueError if it is not JSON."""
        return json.loads(self.body)

    @property
    def event_type(self) -> str | None:
        """The ``webhookType`` of the body; None if it has none."""
        try:
            name = self.json["webhookType"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return name if isinstance(name, str) else None

    def request(self, url: str) -> "httpx.Request":
        """Return the delivery as a request to a URL, for your own client or handler."""
        import httpx  # noqa: PLC0415 - receivers tested in process do without it

        sent = Post(headers=self.header_lines, body=self.body)
        return httpx.Request("POST", url, headers=sent.raw_headers, content=sent.body)

    def send(
        self,
        target: object,
        path: str = "",
        *,
        allow: Collection[str] = (),
        host: str = "",
        scheme: str = "",
    ) -> WebhookResponse:
        """Deliver to a receiver and return its response.

        Args:
            target: A URL on this machine; an ASGI or WSGI application; an httpx, Starlette,
                Flask or Django client; or a function ``verify(body, headers) -> bool``, which
                answers 204 for True and 401 for False (our convention). A ``Target`` that was
                made of one of these is used as it is.
            path: The path inside an application, ``/`` if not given; appended to a URL.
            allow: The ``host:port`` pairs outside this machine that a URL may lead to.
            host: The value of ``Host``, such as ``api.example.com``; for an application the
                default is ``testserver``.
            scheme: ``http`` or ``https``, as an application or a test client sees it.

        Raises:
            TargetError: The target is not one of these.
            EgressRefused: The URL leads elsewhere.
            OSError: There was no response in time, or over the socket. An httpx client raises its
                RequestError.
            StartupError: The start-up of an ASGI application failed.
            TransactionError: A Django application would not see the transaction of the test.
        """
        reached = Target.of(target, path, allow=allow, host=host, scheme=scheme)
        sent = self._post(reached)
        response = reached.post(sent)
        if response.accepted:
            notify(reached, sent, lambda: self._describe(reached))
        return response

    async def asend(
        self,
        target: object,
        path: str = "",
        *,
        allow: Collection[str] = (),
        host: str = "",
        scheme: str = "",
    ) -> WebhookResponse:
        """Deliver as ``send`` does, from a coroutine.

        The target may also be an httpx.AsyncClient. ASGI applications run on the running loop.
        """
        reached = Target.of(target, path, allow=allow, host=host, scheme=scheme)
        sent = self._post(reached)
        response = await reached.apost(sent)
        if response.accepted:
            await anotify(reached, sent, lambda: self._describe(reached))
        return response

    def tampered(self, **changes: object) -> "SignedWebhook":
        """Return the webhook with the same signature and a changed body, which is still JSON.

        Args:
            **changes: Members of the payload (in each entry of an array), or ``webhookType`` and
                ``upstreamEntityId``. Without any, one value inside the payload changes.

        Raises:
            TamperingError: The body has nothing to change, or already has these values.
            ValueError: The body is not JSON.
        """
        if changes:
            return replace(self, body=with_members_changed(self.body, changes))
        return replace(self, body=with_one_value_changed(self.body))

    def unsigned(self) -> "SignedWebhook":
        """Return the webhook without the signature's header; an id and a time stay."""
        kept = (line for line in self.header_lines if not self._is_signature(line[0]))
        return replace(self, header_lines=tuple(kept))

    def signed_with(self, key: str | bytes) -> "SignedWebhook":
        """Return the same body signed with another key at the same moment.

        Args:
            key: Any key, even an empty one. Text is read as the scheme reads its keys; bytes are
                the HMAC key itself.
        """
        value = self.scheme.sign(self.body, key, at=self.signed_at, message_id=self.message_id)
        return self._with_signature(value)

    def truncated_signature(self, length: int = 10) -> "SignedWebhook":
        """Return the webhook with only the first characters of the signature.

        The prefix and the timestamp stay. A receiver that compares only as many characters as
        it gets accepts it (CVE-2024-21491).

        Args:
            length: How many characters of the signature to keep.

        Raises:
            TamperingError: The length is not shorter than the signature, or there is none.
        """
        value = next((value for name, value in self.header_lines if self._is_signature(name)), "")
        whole = self.scheme.signature_length
        if not 0 <= length < whole <= len(value):
            raise TamperingError(f"cannot cut a signature of {whole} characters to {length}")
        return self._with_signature(value[: len(value) - whole + length])

    def replayed(self) -> "SignedWebhook":
        """Return the same webhook, byte for byte.

        It is genuine, and cannot be distinguished from a resend by Turris. A receiver must accept
        it and must not act on it twice.
        """
        return replace(self)

    def _describe(self, reached: Target) -> str:
        return f"{self!r} to {redact_target(reached.path or '/')}"

    def _post(self, target: Target) -> Post:
        return Post(
            headers=self.header_lines,
            body=self.body,
            path=target.path,
            host=target.host,
            scheme=target.scheme,
        )

    def _is_signature(self, name: str) -> bool:
        return name.lower() == self.scheme.header.lower()

    def _with_signature(self, value: str) -> "SignedWebhook":
        lines = (*self.unsigned().header_lines, (self.scheme.header, value))
        return replace(self, header_lines=lines)
