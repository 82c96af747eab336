"""Makes signed webhooks: the documented events, or any body."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from pydantic import ValidationError

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.errors import TurrisKitError, UnknownNameError
from pytest_turris.core.outbox.event_examples import example, filled, template
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.names import nearest
from pytest_turris.core.text.redaction import mask
from pytest_turris.webhooks.overrides import EventMemberError, merged, named
from pytest_turris.webhooks.signature import SignatureScheme, compact_json
from pytest_turris.webhooks.signed import SignedWebhook


class EventValueError(TurrisKitError, ValueError):
    """A member of an event has a value that it cannot take."""


class WebhookFactory:
    """Makes webhooks as one upstream entity receives them.

    Each event method takes what differs from the documented example: members of the payload, in
    camelCase or snake_case, or the envelope's ``upstreamEntityId`` and ``payload``. Objects merge
    at any depth; each element of a list merges over the example's first. Where the payload is an
    array, plain members describe its single entry and ``payload=[{...}, {...}]`` gives several.
    Ids that are not given are fresh.

    Every event method raises TypeError for a member that the event does not have, and ValueError
    for a value of the wrong type. What Turris would never send goes through ``sign``.

    Args:
        scheme: How deliveries are signed.
        key: The key that they are signed with.
        upstream_entity_id: The receiver's own id, in each envelope.
        new_id: Gives a fresh ObjectId.
        now: Gives the moment of signing and verifying.
    """

    def __init__(
        self,
        *,
        scheme: SignatureScheme,
        key: str,
        upstream_entity_id: str,
        new_id: Callable[[], str],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._scheme = scheme
        self._key = key
        self._upstream_entity_id = upstream_entity_id
        self._new_id = new_id
        self._now = now

    @classmethod
    def of(cls, sandbox: Sandbox, *, entity: str = "") -> Self:
        """The factory of a sandbox: its signature scheme, key, ids and clock.

        ``entity`` is the ``upstreamEntityId`` to send as, the sandbox's own unless given.
        """
        return cls(**cls.parts_of(sandbox, entity=entity))

    @staticmethod
    def parts_of(sandbox: Sandbox, *, entity: str = "") -> dict[str, Any]:
        """What a factory of a sandbox is made of."""
        options = sandbox.options
        return {
            "scheme": SignatureScheme(
                header=options.signature_header,
                encoding=options.signature_encoding,
                prefix=options.signature_prefix,
                timestamped=options.signature_timestamped,
                signs=options.signature_signs,
                key_form=options.signature_key,
            ),
            "key": sandbox.webhook_secret,
            "upstream_entity_id": entity or sandbox.upstream_entity_id,
            "new_id": sandbox.new_object_id,
            "now": sandbox.clock.now,
        }

    def __repr__(self) -> str:
        entity = self._upstream_entity_id
        return f"WebhookFactory(upstream_entity_id={entity!r}, key={mask(self._key)!r})"

    @property
    def scheme(self) -> SignatureScheme:
        """How deliveries are signed."""
        return self._scheme

    @property
    def key(self) -> str:
        """The signing key, in full: hand it to the receiver, not to a log."""
        return self._key

    @property
    def upstream_entity_id(self) -> str:
        """The ``upstreamEntityId`` of each envelope."""
        return self._upstream_entity_id

    def agent_compliance_status_change(self, **overrides: object) -> SignedWebhook:
        """``AGENT_COMPLIANCE_STATUS_CHANGE``: an agent's status changed; payload is an array."""
        return self.event("AGENT_COMPLIANCE_STATUS_CHANGE", **overrides)

    def downstream_entity_compliance_status_change(self, **overrides: object) -> SignedWebhook:
        """``DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE``: an agency's; payload is an array."""
        return self.event("DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE", **overrides)

    def entity_compliance_data_synchronized(self, **overrides: object) -> SignedWebhook:
        """``ENTITY_COMPLIANCE_DATA_SYNCHRONIZED``: a NIPR fetch ended; payload is an object."""
        return self.event("ENTITY_COMPLIANCE_DATA_SYNCHRONIZED", **overrides)

    def producer_agreement_executed(self, **overrides: object) -> SignedWebhook:
        """``PRODUCER_AGREEMENT_EXECUTED``: both parties signed; payload is an object."""
        return self.event("PRODUCER_AGREEMENT_EXECUTED", **overrides)

    def event(self, webhook_type: str, /, **overrides: object) -> SignedWebhook:
        """A documented event by its ``webhookType``; UnknownNameError for any other."""
        if webhook_type not in EVENTS:
            near = nearest(webhook_type, EVENTS) or " or ".join(EVENTS)
            raise UnknownNameError(f"no event {webhook_type!r}: did you mean {near}?")
        if not overrides:
            return self.sign(example(webhook_type, self._upstream_entity_id, self._new_id))
        whole = template(EVENTS[webhook_type]) | {"upstreamEntityId": self._upstream_entity_id}
        change = _placed(webhook_type, whole, overrides)
        members = filled(merged(whole, change, webhook_type), self._new_id)
        return self.sign(_wire(webhook_type, members))

    def sign(self, body: bytes | str | dict[str, Any]) -> SignedWebhook:
        """A hand-made body, signed: bytes as they are, text as UTF-8, a dict as compact JSON.

        Raises:
            SignatureError: The scheme signs the payload and the body has none.
        """
        if isinstance(body, dict):
            body = compact_json(body)
        content = body.encode() if isinstance(body, str) else body
        at = self._now()
        lines = (
            ("Content-Type", "application/json"),
            (self._scheme.header, self._scheme.sign(content, self._key, at=at)),
        )
        return SignedWebhook(body=content, header_lines=lines, scheme=self._scheme, signed_at=at)

    def verify(self, body: bytes, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Return if a delivery is genuine now, by the reference verifier.

        Raises:
            SignatureError: It is not; ``reason`` says why.
        """
        self._scheme.verify(body, headers, self._key, now=self._now())


def _placed(
    webhook_type: str, whole: Mapping[str, Any], overrides: Mapping[str, object]
) -> dict[str, object]:
    payload = whole["payload"]
    several = isinstance(payload, list)
    envelope = {name: whole[name] for name in ("upstreamEntityId", "payload")}
    given = named(overrides, (payload[0] if several else payload) | envelope, webhook_type)
    outside = {name: value for name, value in given.items() if name in envelope}
    inside = {name: value for name, value in given.items() if name not in envelope}
    if not inside:
        return outside
    if "payload" in outside:
        raise EventMemberError(
            f"{webhook_type}: give payload= or its members ({', '.join(inside)})"
        )
    return outside | {"payload": [inside] if several else inside}


def _wire(webhook_type: str, members: Mapping[str, object]) -> dict[str, Any]:
    try:
        return EVENTS[webhook_type].model_validate(members).wire()
    except ValidationError as error:
        raise EventValueError("; ".join(_complaints(webhook_type, error))) from None


def _complaints(webhook_type: str, error: ValidationError) -> Iterable[str]:
    for detail in error.errors(include_url=False, include_context=False):
        path = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in detail["loc"])
        given = type(detail["input"]).__name__
        yield f"{webhook_type}{path}: {detail['msg']} (given: {given})"
