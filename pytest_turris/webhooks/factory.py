"""Makes signed webhooks, of the documented events or of any body."""

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
from pytest_turris.webhooks.overrides import (
    EventMemberError,
    merge_overrides,
    with_camel_case_names,
)
from pytest_turris.webhooks.schemes import scheme_of
from pytest_turris.webhooks.signature import SignatureScheme, compact_json
from pytest_turris.webhooks.signed import SignedWebhook


class EventValueError(TurrisKitError, ValueError):
    """A member of an event has a value of the wrong type or form."""


class WebhookFactory:
    """Makes webhooks as Turris sends them to one upstream entity.

    Each event method makes the documented example, with the changes that its keywords give:
    members of the payload, in camelCase or snake_case, or the envelope's ``upstreamEntityId`` and
    ``payload``. Objects merge at any depth; each element of a list merges over the example's
    first. If the payload is an array, plain members belong to its only entry, and
    ``payload=[{...}, {...}]`` makes several entries. Each id that is not given is new.

    Every event method raises EventMemberError for a member that the event does not have, and
    EventValueError for a value of the wrong type. To make what Turris would never send, use
    ``sign``.

    Args:
        scheme: How deliveries are signed.
        key: The key that signs them.
        upstream_entity_id: The ``upstreamEntityId`` of each envelope.
        new_id: Returns a new ObjectId.
        now: Returns the moment of signing and verifying, with a time zone.
        lines: Further header lines; one whose name a delivery has already takes its place.
        user_agent: The ``User-Agent`` of deliveries; empty for none.
    """

    def __init__(
        self,
        *,
        scheme: SignatureScheme,
        key: str,
        upstream_entity_id: str,
        new_id: Callable[[], str],
        now: Callable[[], dt.datetime],
        lines: tuple[tuple[str, str], ...] = (),
        user_agent: str = "",
    ) -> None:
        self._scheme = scheme
        self._key = key
        self._upstream_entity_id = upstream_entity_id
        self._new_id = new_id
        self._now = now
        self._lines = lines
        self._user_agent = user_agent

    @classmethod
    def of(cls, sandbox: Sandbox, *, entity: str = "") -> Self:
        """Return the factory of a sandbox, with its signature scheme, key, ids and clock.

        Args:
            sandbox: The sandbox.
            entity: The ``upstreamEntityId`` to send; the sandbox's own if not given.
        """
        return cls(**cls.arguments_for(sandbox, entity=entity))

    @staticmethod
    def arguments_for(sandbox: Sandbox, *, entity: str = "") -> dict[str, Any]:
        """Return the arguments of a sandbox's factory; see ``of``."""
        return {
            "scheme": scheme_of(sandbox.options),
            "key": sandbox.webhook_secret,
            "upstream_entity_id": entity or sandbox.upstream_entity_id,
            "new_id": sandbox.new_object_id,
            "now": sandbox.clock.now,
            "user_agent": sandbox.options.webhook_user_agent,
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
        """The signing key, unmasked: configure the receiver with it, and do not log it."""
        return self._key

    @property
    def upstream_entity_id(self) -> str:
        """The ``upstreamEntityId`` of each envelope."""
        return self._upstream_entity_id

    def agent_compliance_status_change(self, **overrides: object) -> SignedWebhook:
        """Make an ``AGENT_COMPLIANCE_STATUS_CHANGE``, whose payload is an array."""
        return self.event("AGENT_COMPLIANCE_STATUS_CHANGE", **overrides)

    def downstream_entity_compliance_status_change(self, **overrides: object) -> SignedWebhook:
        """Make a ``DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE``, whose payload is an array."""
        return self.event("DOWNSTREAM_ENTITY_COMPLIANCE_STATUS_CHANGE", **overrides)

    def entity_compliance_data_synchronized(self, **overrides: object) -> SignedWebhook:
        """Make an ``ENTITY_COMPLIANCE_DATA_SYNCHRONIZED``: a fetch from NIPR ended."""
        return self.event("ENTITY_COMPLIANCE_DATA_SYNCHRONIZED", **overrides)

    def producer_agreement_executed(self, **overrides: object) -> SignedWebhook:
        """Make a ``PRODUCER_AGREEMENT_EXECUTED``: both parties have signed."""
        return self.event("PRODUCER_AGREEMENT_EXECUTED", **overrides)

    def event(self, webhook_type: str, /, **overrides: object) -> SignedWebhook:
        """Make a documented event by its ``webhookType``.

        Raises:
            UnknownNameError: There is no such event; the message names the nearest.
            EventMemberError: The event has no such member.
            EventValueError: A member has a value of the wrong type.
        """
        if webhook_type not in EVENTS:
            near = nearest(webhook_type, EVENTS) or " or ".join(EVENTS)
            raise UnknownNameError(f"no event {webhook_type!r}: did you mean {near}?")
        if not overrides:
            return self.sign(example(webhook_type, self._upstream_entity_id, self._new_id))
        whole = template(EVENTS[webhook_type]) | {"upstreamEntityId": self._upstream_entity_id}
        change = _place(webhook_type, whole, overrides)
        members = filled(merge_overrides(whole, change, webhook_type), self._new_id)
        return self.sign(_validate(webhook_type, members))

    def sign(self, body: bytes | str | dict[str, Any]) -> SignedWebhook:
        """Sign any body.

        Args:
            body: Bytes are sent as they are, text as UTF-8, and a dict as compact JSON.

        Raises:
            SignatureError: The scheme signs the payload, and the body has none.
        """
        if isinstance(body, dict):
            body = compact_json(body)
        content = body.encode() if isinstance(body, str) else body
        at, message_id = self._now(), self._scheme.message_id(self._new_id)
        signed = self._scheme.header_lines(content, self._key, at=at, message_id=message_id)
        agent = [("User-Agent", self._user_agent)] if self._user_agent else []
        return SignedWebhook(
            body=content,
            header_lines=self._with_own_lines(
                *agent, ("Content-Type", "application/json"), *signed
            ),
            scheme=self._scheme,
            signed_at=at,
            message_id=message_id,
        )

    def new_id(self) -> str:
        """Return a new ObjectId."""
        return self._new_id()

    def _with_own_lines(self, *lines: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        names = {name.lower() for name, _ in self._lines}
        return (*self._lines, *(line for line in lines if line[0].lower() not in names))

    def verify(self, body: bytes, headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        """Return if a delivery is genuine, with the factory's scheme, key and clock.

        Args:
            body: The body as it was received.
            headers: The headers, as a mapping or as pairs.

        Raises:
            SignatureError: It is not; ``reason`` says why.
        """
        self._scheme.verify(body, headers, self._key, now=self._now())


def _place(
    webhook_type: str, whole: Mapping[str, Any], overrides: Mapping[str, object]
) -> dict[str, object]:
    payload = whole["payload"]
    several = isinstance(payload, list)
    envelope = {name: whole[name] for name in ("upstreamEntityId", "payload")}
    given = with_camel_case_names(
        overrides, (payload[0] if several else payload) | envelope, webhook_type
    )
    outside = {name: value for name, value in given.items() if name in envelope}
    inside = {name: value for name, value in given.items() if name not in envelope}
    if not inside:
        return outside
    if "payload" in outside:
        raise EventMemberError(
            f"{webhook_type}: pass payload= or its members ({', '.join(inside)})"
        )
    return outside | {"payload": [inside] if several else inside}


def _validate(webhook_type: str, members: Mapping[str, object]) -> dict[str, Any]:
    try:
        return EVENTS[webhook_type].model_validate(members).wire()
    except ValidationError as error:
        raise EventValueError("; ".join(_validation_messages(webhook_type, error))) from None


def _validation_messages(webhook_type: str, error: ValidationError) -> Iterable[str]:
    for detail in error.errors(include_url=False, include_context=False):
        path = "".join(f"[{at}]" if isinstance(at, int) else f".{at}" for at in detail["loc"])
        given = type(detail["input"]).__name__
        yield f"{webhook_type}{path}: {detail['msg']} (given: {given})"
