"""What attacks are built with: genuine webhooks, wrong signatures, and the receiver's hooks."""

import base64
import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_turris.attacks.hooks import FailureMode, ReceiverHooks
from pytest_turris.attacks.own_payload import TURRIS_ONLY, OwnPayload
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.findings.errors import MissingHookError, NotApplicableError
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.overrides import merged_members
from pytest_turris.webhooks.signature import SignatureScheme
from pytest_turris.webhooks.signed import SignedWebhook

Events = Mapping[str, Mapping[str, object]]
ALL_EVENTS: Events = {
    "PRODUCER_AGREEMENT_EXECUTED": {},
    **{name: {} for name in EVENTS if name != "PRODUCER_AGREEMENT_EXECUTED"},
}
FORGED_LINE = "turris-forged-log-line"
"""Sent inside a name, after a line break: a log line that begins with it is forged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackContext:
    """Builds what attacks send, for one signature scheme.

    Args:
        factory: Builds genuine webhooks.
        events: The events that the receiver acts on, by ``webhookType``, each with the payload
            members that it requires to act.
        hooks: What an attack may do besides sending.
        is_function: Whether the receiver is a function, which sees body and headers only.
        payload: The user's own payload, which is sent instead of Turris' events.
        settles: Whether the test says when the receiver is quiet.
    """

    factory: WebhookFactory
    events: Events = field(default_factory=lambda: ALL_EVENTS)
    hooks: ReceiverHooks = field(default_factory=ReceiverHooks)
    is_function: bool = False
    payload: OwnPayload | None = None
    settles: bool = False

    @property
    def scheme(self) -> SignatureScheme:
        """The signature scheme in force."""
        return self.factory.scheme

    @property
    def key(self) -> str:
        """The right signing key."""
        return self.factory.key

    def configured_key(self, key: bytes) -> str:
        """A key as the scheme writes it into a configuration: as text, in base64 or in hex."""
        if self.scheme.key_form == "hex":
            return key.hex()
        base = self.scheme.key_form == "base64"
        return base64.b64encode(key).decode() if base else key.decode()

    @property
    def now(self) -> dt.datetime:
        """The time at which webhooks are signed."""
        return self.factory.sign({"payload": {}}).signed_at

    def genuine(self, **members: object) -> SignedWebhook:
        """A webhook that the receiver acts on; each call returns a different one.

        NotApplicableError if members are to change and the payload is the user's own.
        """
        if self.payload is not None and not members:
            return self.sign(self.payload.next())
        self.require_turris_event()
        name = next(iter(self.events))
        return self.factory.event(name, **merged_members(self.events[name], members))

    def event(self, name: str, **members: object) -> SignedWebhook:
        """A webhook of one type; NotApplicableError if the receiver does not act on that type."""
        self.require_turris_event()
        if name not in self.events:
            raise NotApplicableError(f"the receiver does not act on {name}")
        return self.factory.event(name, **merged_members(self.events[name], members))

    def status_event(self, **members: object) -> SignedWebhook:
        """A webhook whose payload is an array; NotApplicableError if the receiver acts on none."""
        self.require_turris_event()
        names = [name for name in self.events if name.endswith("STATUS_CHANGE")]
        if not names:
            raise NotApplicableError("the receiver acts on no event with an array for a payload")
        return self.event(names[0], **members)

    def require_turris_event(self) -> None:
        """Raise NotApplicableError where the payload is the user's own, and no Turris event."""
        if self.payload is not None:
            raise NotApplicableError("it needs an event of Turris, and the payload is your own")

    def status_webhook(self, status: str) -> SignedWebhook:
        """A webhook with this compliance status of the receiver's entity; always the same body."""
        state = {"stateCode": "CA", "complianceStatus": status}
        made = self.status_event(products=[{"productId": "507f1f77bcf86cd799439012"}])
        event = made.json
        for entry in event["payload"]:
            entry["downstreamEntityAssociationId"] = "507f1f77bcf86cd799439011"
            entry["products"][0]["states"] = [entry["products"][0]["states"][0] | state]
        return self.sign(event)

    def sign(self, body: bytes | dict[str, Any]) -> SignedWebhook:
        """Any body, with the right signature."""
        return self.factory.sign(body)

    def header_value(self, webhook: SignedWebhook) -> str:
        """The value of the signature header."""
        return webhook.headers[self.scheme.header]

    def signature(self, webhook: SignedWebhook) -> str:
        """The signature alone, without prefix and timestamp."""
        return self.header_value(webhook)[-self.scheme.signature_length :]

    def before_signature(self, webhook: SignedWebhook) -> str:
        """The part of the header's value before the signature: prefix and timestamp."""
        return self.header_value(webhook)[: -self.scheme.signature_length]

    def with_signature(self, webhook: SignedWebhook, signature: str) -> SignedWebhook:
        """The webhook with another signature, after the same prefix and timestamp."""
        return self.with_header_value(webhook, self.before_signature(webhook) + signature)

    def with_header_value(self, webhook: SignedWebhook, *values: str) -> SignedWebhook:
        """The webhook with these values of the signature header, one header line for each."""
        lines = [(self.scheme.header, value) for value in values]
        return with_header_lines(webhook.unsigned(), *lines)

    def signed_at(self, webhook: SignedWebhook, at: dt.datetime) -> SignedWebhook:
        """The same body with the right signature for another time."""
        made = self.scheme.header_lines(
            webhook.body, self.key, at=at, message_id=webhook.message_id
        )
        changed = {name for name, _ in made}
        kept = (line for line in webhook.header_lines if line[0] not in changed)
        return replace(webhook, signed_at=at, header_lines=(*kept, *made))

    def with_timestamp(self, webhook: SignedWebhook, text: str) -> SignedWebhook:
        """The webhook with another text for its timestamp, before the same signature."""
        if self.scheme.timestamp_header:
            return with_changed_line(webhook, self.scheme.timestamp_header, text)
        value = self.header_value(webhook).replace(timestamp_of(webhook), text, 1)
        return self.with_header_value(webhook, value)

    def wrongly_signed(self, webhook: SignedWebhook) -> SignedWebhook:
        """The webhook with a well-formed signature that is wrong in one character."""
        wrong = with_changed_character(self.signature(webhook), 0)
        return self.with_signature(webhook, wrong)

    def wrong_header_value(self, webhook: SignedWebhook) -> str:
        """A well-formed value of the signature header that is wrong in one character."""
        return self.header_value(self.wrongly_signed(webhook))

    def digest(self, webhook: SignedWebhook) -> bytes:
        """The right digest, decoded."""
        text = self.signature(webhook)
        return bytes.fromhex(text) if self.is_hex else base64.b64decode(text)

    def encoded(self, digest: bytes) -> str:
        """A digest in the scheme's encoding."""
        return digest.hex() if self.is_hex else base64.b64encode(digest).decode()

    def other_encoding(self, digest: bytes) -> str:
        """A digest in the encoding that is not the scheme's."""
        return base64.b64encode(digest).decode() if self.is_hex else digest.hex()

    @property
    def is_hex(self) -> bool:
        """Whether signatures are hexadecimal; otherwise they are base64."""
        return self.scheme.encoding == "hex"

    def require_hex(self) -> None:
        """Raise NotApplicableError if signatures are base64."""
        if not self.is_hex:
            raise NotApplicableError("signatures are base64; the attack is about hexadecimal")

    def require_base64(self) -> None:
        """Raise NotApplicableError if signatures are hexadecimal."""
        if self.is_hex:
            raise NotApplicableError("signatures are hexadecimal, the attack is about base64")

    @property
    def lists_signatures(self) -> bool:
        """Whether the header may hold several signatures."""
        return bool(self.scheme.list_separator)

    def with_signatures(self, webhook: SignedWebhook, *signatures: str) -> SignedWebhook:
        """The webhook with several signatures, joined as the scheme does, else by commas."""
        joined = (self.scheme.list_mark + self.scheme.prefix).join(signatures)
        return self.with_signature(webhook, joined)

    def require_single_signature(self) -> None:
        """Raise NotApplicableError where repeated header lines mean a list (RFC 9110, 5.3)."""
        if self.lists_signatures:
            raise NotApplicableError("the scheme lists signatures, and a repeated line is a list")

    def require_whole_body_signed(self) -> None:
        """Raise NotApplicableError where only the payload is signed."""
        if self.scheme.signs != "body":
            raise NotApplicableError(
                "the scheme signs the payload alone; the rest is open by design"
            )

    def require_applicable(self, attack_id: str) -> None:
        """Raise NotApplicableError where an attack has no meaning for the user's own payload."""
        if attack_id in TURRIS_ONLY:
            self.require_turris_event()

    def receiver_with(self, *keys: str) -> object:
        """A receiver with these keys; an exception at its start is passed on."""
        if self.hooks.with_keys is None:
            raise MissingHookError("needs a receiver with other keys: run(..., with_keys=...)")
        return self.hooks.with_keys(list(keys))

    def started_with(self, key: str) -> object | None:
        """A receiver with this key, or None if it refuses to start, by any exception.

        With the right key it has to start: an exception is then passed on.
        """
        self.receiver_with(self.key)
        try:
            return self.receiver_with(key)
        except Exception:  # noqa: BLE001 - an application may refuse to start by any exception
            return None

    def failing_work(self, mode: FailureMode) -> AbstractContextManager[object]:
        """A context manager inside which the receiver's work fails, or is slow."""
        if self.hooks.failing_work is None:
            raise MissingHookError("needs a receiver whose work fails: run(failing_work=...)")
        return self.hooks.failing_work(mode)

    def advance_clock(self, **parts: float) -> None:
        """Move the receiver's clock forward; ``parts`` as for ``datetime.timedelta``."""
        if self.hooks.advance is None:
            raise MissingHookError("needs to move the receiver's clock: use turris_time")
        self.hooks.advance(dt.timedelta(**parts))

    def set_api_status(self, status: str) -> None:
        """Make the API return this compliance status."""
        if self.hooks.api_status is None or self.hooks.state is None:
            reason = "needs to compare with the API: run(..., state=..., api_status=...)"
            raise MissingHookError(reason)
        self.hooks.api_status(status)


def with_changed_character(text: str, at: int) -> str:
    """The text with one character replaced by another of the same alphabet."""
    other = "1" if text[at] == "0" else "0"
    return text[:at] + other + text[at + 1 :]


def timestamp_of(webhook: SignedWebhook) -> str:
    """The time of signing, as a timestamped scheme writes it."""
    return str(int(webhook.signed_at.timestamp()))


def with_changed_line(webhook: SignedWebhook, name: str, value: str) -> SignedWebhook:
    """The webhook with another value in the header lines of a name."""
    lines = tuple(
        (line, value if line.lower() == name.lower() else text)
        for line, text in webhook.header_lines
    )
    return replace(webhook, header_lines=lines)


def with_header_lines(webhook: SignedWebhook, *lines: tuple[str, str]) -> SignedWebhook:
    """The webhook with more header lines, after the others."""
    return replace(webhook, header_lines=(*webhook.header_lines, *lines))
