"""Where attacks are made: genuine webhooks, signatures gone wrong, and the receiver's handles."""

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme
from pytest_turris.webhooks.signed import SignedWebhook

Trouble = Literal["before", "after", "slow"]
Events = Mapping[str, Mapping[str, object]]
ALL_EVENTS: Events = {
    "PRODUCER_AGREEMENT_EXECUTED": {},
    **{name: {} for name in EVENTS if name != "PRODUCER_AGREEMENT_EXECUTED"},
}


class HookError(TurrisKitError, TypeError):
    """A hook that was passed to an attack gave something of the wrong type."""


class NotApplicable(Exception):  # noqa: N818 - nothing went wrong
    """The attack has no meaning here, or needs a hook that was not passed; says which."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handles:
    """What a test lets an attack do to its receiver beside sending; each is optional.

    Args:
        with_keys: Gives a receiver that is configured with these keys, the current one first;
            may raise, as an application does that will not start.
        trouble: A context in which the receiver's work fails ``before`` its effect, or
            ``after`` it, or takes three seconds (``slow``).
        state: The compliance status that the receiver has stored for the entity of the events.
        truth: Makes the API say this status of that entity.
        allowlisted: An IPv4 address that the receiver's allowlist holds.
        advance: Lets time pass for the receiver.
        client_id: The public identifier of the API client.
        key_is_client_secret: Whether the signing key opens the API too.
    """

    with_keys: Callable[[Sequence[str]], object] | None = None
    trouble: Callable[[Trouble], AbstractContextManager[object]] | None = None
    state: Callable[[], object] | None = None
    truth: Callable[[str], object] | None = None
    allowlisted: str = ""
    advance: Callable[[dt.timedelta], object] | None = None
    client_id: str = ""
    key_is_client_secret: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Forge:
    """Makes what attacks send, for one signature scheme.

    Args:
        factory: Makes genuine webhooks.
        events: What the receiver acts on, by ``webhookType``, with the members of the payload
            that must be so for it to act.
        handles: What else an attack may do.
    """

    factory: WebhookFactory
    events: Events = field(default_factory=lambda: ALL_EVENTS)
    handles: Handles = field(default_factory=Handles)

    @property
    def scheme(self) -> SignatureScheme:
        """The signature scheme in force."""
        return self.factory.scheme

    @property
    def key(self) -> str:
        """The right key."""
        return self.factory.key

    def written(self, key: bytes) -> str:
        """A key as it is configured under the scheme: its text, or its base64."""
        base = self.scheme.key_form == "base64"
        return base64.b64encode(key).decode() if base else key.decode()

    @property
    def at(self) -> dt.datetime:
        """The moment of signing."""
        return self.factory.sign({"payload": {}}).signed_at

    def genuine(self, **members: object) -> SignedWebhook:
        """A webhook that the receiver acts on, each time another."""
        name = next(iter(self.events))
        return self.factory.event(name, **{**self.events[name], **members})

    def event(self, name: str, **members: object) -> SignedWebhook:
        """A webhook of one type; NotApplicable if the receiver does not act on it."""
        if name not in self.events:
            raise NotApplicable(f"the receiver does not act on {name}")
        return self.factory.event(name, **{**self.events[name], **members})

    def status_event(self, **members: object) -> SignedWebhook:
        """A webhook whose payload is an array; NotApplicable if the receiver acts on none."""
        names = [name for name in self.events if name.endswith("STATUS_CHANGE")]
        if not names:
            raise NotApplicable("the receiver acts on no event with an array for a payload")
        return self.event(names[0], **members)

    def status(self, status: str) -> SignedWebhook:
        """A webhook that says this status of the receiver's entity, always the same bytes."""
        state = {"stateCode": "CA", "complianceStatus": status}
        made = self.status_event(products=[{"productId": "507f1f77bcf86cd799439012"}])
        event = made.json
        for entry in event["payload"]:
            entry["downstreamEntityAssociationId"] = "507f1f77bcf86cd799439011"
            entry["products"][0]["states"] = [entry["products"][0]["states"][0] | state]
        return self.signed(event)

    def signed(self, body: bytes | dict[str, Any]) -> SignedWebhook:
        """Any body, with the right signature."""
        return self.factory.sign(body)

    def value(self, webhook: SignedWebhook) -> str:
        """What the signature header holds."""
        return webhook.headers[self.scheme.header]

    def signature(self, webhook: SignedWebhook) -> str:
        """The signature alone, without prefix and timestamp."""
        return self.value(webhook)[-self.scheme.signature_length :]

    def head(self, webhook: SignedWebhook) -> str:
        """What stands before the signature."""
        return self.value(webhook)[: -self.scheme.signature_length]

    def with_signature(self, webhook: SignedWebhook, signature: str) -> SignedWebhook:
        """Another text in the signature's place, after the same prefix and timestamp."""
        return self.with_value(webhook, self.head(webhook) + signature)

    def with_value(self, webhook: SignedWebhook, *values: str) -> SignedWebhook:
        """Other values of the header, one line each."""
        lines = [(self.scheme.header, value) for value in values]
        return with_lines(webhook.unsigned(), *lines)

    def stamped(self, webhook: SignedWebhook, at: dt.datetime) -> SignedWebhook:
        """The same body, rightly signed as if at another moment."""
        value = self.scheme.sign(webhook.body, self.key, at=at)
        return self.with_value(replace(webhook, signed_at=at), value)

    def with_stamp(self, webhook: SignedWebhook, text: str) -> SignedWebhook:
        """Another text in the timestamp's place, before the same signature."""
        return self.with_value(webhook, self.value(webhook).replace(stamp_of(webhook), text, 1))

    def wrong(self, webhook: SignedWebhook) -> SignedWebhook:
        """A signature of the right form that is wrong in one character."""
        return self.with_signature(webhook, flipped(self.signature(webhook), 0))

    def digest(self, webhook: SignedWebhook) -> bytes:
        """The right digest, decoded."""
        text = self.signature(webhook)
        return bytes.fromhex(text) if self.hex else base64.b64decode(text)

    def encoded(self, digest: bytes) -> str:
        """A digest in the scheme's encoding."""
        return digest.hex() if self.hex else base64.b64encode(digest).decode()

    def in_other_encoding(self, digest: bytes) -> str:
        """A digest in the encoding that is not the scheme's."""
        return base64.b64encode(digest).decode() if self.hex else binascii.hexlify(digest).decode()

    @property
    def hex(self) -> bool:
        """Whether signatures are hexadecimal."""
        return self.scheme.encoding == "hex"

    def only_hex(self) -> None:
        """Raise NotApplicable for base64."""
        if not self.hex:
            raise NotApplicable("signatures are base64, the attack is about hexadecimal digits")

    def only_base64(self) -> None:
        """Raise NotApplicable for hexadecimal."""
        if self.hex:
            raise NotApplicable("signatures are hexadecimal, the attack is about base64")

    @property
    def lists(self) -> bool:
        """Whether several signatures may stand in the header."""
        return bool(self.scheme.list_separator)

    def listed(self, webhook: SignedWebhook, *signatures: str) -> SignedWebhook:
        """Several signatures in the header, as the scheme lists them; by commas if it does not."""
        return self.with_signature(
            webhook, (self.scheme.list_mark + self.scheme.prefix).join(signatures)
        )

    def only_single(self) -> None:
        """Raise NotApplicable where a repeated line is as good as a list (RFC 9110, 5.3)."""
        if self.scheme.list_separator == ",":
            raise NotApplicable("the scheme lists signatures, and a repeated line is a list")

    def only_whole_body(self) -> None:
        """Raise NotApplicable where the payload alone is signed."""
        if self.scheme.signs != "body":
            raise NotApplicable("the scheme signs the payload alone: the rest is open by design")

    def receiver_with(self, *keys: str) -> object:
        """A receiver with these keys; whatever it raises at its start comes through."""
        if self.handles.with_keys is None:
            raise NotApplicable("needs a receiver with other keys: run(..., with_keys=...)")
        return self.handles.with_keys(list(keys))

    def started_with(self, key: str) -> object | None:
        """A receiver with this key, None if it refuses to start, in whatever way it likes.

        With the right key it has to start: whatever it raises then comes through.
        """
        self.receiver_with(self.key)
        try:
            return self.receiver_with(key)
        except Exception:  # noqa: BLE001 - see above
            return None

    def trouble(self, kind: Trouble) -> AbstractContextManager[object]:
        """A context in which the receiver is in trouble."""
        if self.handles.trouble is None:
            raise NotApplicable("needs a receiver whose work fails: run(..., trouble=...)")
        return self.handles.trouble(kind)

    def pass_time(self, **parts: float) -> None:
        """Let time pass for the receiver."""
        if self.handles.advance is None:
            raise NotApplicable("needs to move the receiver's clock: use the fixture turris_time")
        self.handles.advance(dt.timedelta(**parts))

    def tell_truth(self, status: str) -> None:
        """Make the API say this status."""
        if self.handles.truth is None or self.handles.state is None:
            raise NotApplicable("needs to compare with the API: run(..., state=..., truth=...)")
        self.handles.truth(status)


def flipped(text: str, at: int) -> str:
    """The text with one character replaced by another of the same alphabet."""
    other = "1" if text[at] == "0" else "0"
    return text[:at] + other + text[at + 1 :]


def stamp_of(webhook: SignedWebhook) -> str:
    """The moment of signing as a timestamped scheme writes it."""
    return str(int(webhook.signed_at.timestamp()))


def with_lines(webhook: SignedWebhook, *lines: tuple[str, str]) -> SignedWebhook:
    """More header lines, after the others."""
    return replace(webhook, header_lines=(*webhook.header_lines, *lines))


def raw_post(
    webhook: SignedWebhook, host: str, path: str, *extra: bytes, length: int | None = None
) -> RawPost:
    """A webhook as it is written to a socket, with lines of its own after the others."""
    size = len(webhook.body) if length is None else length
    lines = [f"{name}: {value}".encode("latin-1") for name, value in webhook.header_lines]
    return RawPost(
        lines=(
            f"POST {path} HTTP/1.1".encode(),
            f"Host: {host}".encode(),
            *lines,
            *extra,
            f"Content-Length: {size}".encode(),
            b"Connection: close",
        ),
        pieces=(webhook.body,),
    )


def raw_chunks(webhook: SignedWebhook, host: str, path: str, *pieces: bytes) -> RawPost:
    """A webhook as it is written without its length: each piece of the body is a chunk."""
    made = raw_post(webhook, host, path)
    lines = [line for line in made.lines if not line.startswith(b"Content-Length")]
    chunks = tuple(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return RawPost(lines=(*lines, b"Transfer-Encoding: chunked"), pieces=chunks)
