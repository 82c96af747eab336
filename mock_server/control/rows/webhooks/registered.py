"""Registered webhooks: list, register, enable, remove; and all kinds of events."""

from typing import Any, get_args

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import (
    Listing,
    Moment,
    Nothing,
    Parameters,
    Result,
)
from pytest_turris.core.entity.event_facts import EventKind
from pytest_turris.core.outbox.endpoints import Endpoint
from pytest_turris.core.outbox.event_examples import example
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.core.text.redaction import mask, redact_target
from pytest_turris.receivers.egress import check_egress

_URL = Field(min_length=1, max_length=2_000, description="The URL of the receiver.")
_PROBABILITY = Field(0.0, ge=0, le=1, description="A probability from 0 to 1.")


class WebhookShown(Result):
    """A registered webhook. Only the last four characters of its secret are shown."""

    id: str
    url: str
    webhook_type: EventKind
    secret: str
    registered_at: Moment
    failures: int
    disabled: str


class EventExample(Result):
    """An event with the documented example."""

    webhook_type: EventKind
    example: dict[str, Any]


class Register(Parameters):
    """The receiver and its type of event."""

    url: str = _URL
    event: EventKind = Field(description="The webhookType.")
    secret: str = Field(
        "",
        max_length=200,
        description="The signing key; the sandbox's webhook secret if not given.",
    )


class WebhookId(Parameters):
    """Which webhook."""

    id: str = Field(min_length=1, max_length=200, description="The id of the webhook.")


@control("webhooks", "list", "GET", "/webhooks", words=("webhooks",))
def _list_webhooks(call: ControlCall, given: Nothing) -> Listing[WebhookShown]:
    """List the registered webhooks."""
    del given
    found = [_webhook(one) for one in call.tenant.sandbox.outbox.endpoints]
    return Listing(total=len(found), items=found)


@control("webhooks", "events", "GET", "/webhooks/events")
def _list_events(call: ControlCall, given: Nothing) -> Listing[EventExample]:
    """List the events that can be sent, each with the documented example."""
    del given
    own_id = call.tenant.sandbox.upstream_entity_id
    found = [
        EventExample(webhook_type=kind, example=example(kind, own_id, lambda: "0" * 24))
        for kind in get_args(EventKind)
    ]
    return Listing(total=len(found), items=found)


@control("webhooks", "register", "POST", "/webhooks", status=201, positional=("url",), issues=True)
def register(call: ControlCall, given: Register) -> WebhookShown:
    """Register a receiver for one type of event; it receives what happens from now on."""
    server = call.tenant.deliveries.server()
    check_egress(given.url, allow=server.allow, own_port=server.own_port)
    sandbox = call.tenant.sandbox
    endpoint = sandbox.outbox.register(
        given.url, given.event, sandbox.clock.now(), given.secret or str(sandbox.webhook_secret)
    )
    return _webhook(endpoint).model_copy(update={"secret": str(endpoint.secret)})


@control("webhooks", "remove", "DELETE", "/webhooks/{id}", status=204)
def _remove(call: ControlCall, given: WebhookId) -> None:
    """Remove a webhook; its waiting deliveries are not sent."""
    call.tenant.sandbox.outbox.endpoints.remove(endpoint_of(call, given.id).id)


@control("webhooks", "enable", "POST", "/webhooks/{id}/enable")
def enable(call: ControlCall, given: WebhookId) -> WebhookShown:
    """Enable a disabled webhook: it receives what happens from now on."""
    endpoint = endpoint_of(call, given.id)
    call.tenant.sandbox.outbox.endpoints.enable(endpoint.id)
    return _webhook(endpoint)


ROWS = (_list_webhooks, _list_events, register, enable, _remove)


def endpoint_of(call: ControlCall, id_: str) -> Endpoint:
    """The webhook with an id.

    Raises:
        UnknownRecordError: There is none.
    """
    endpoint = call.tenant.sandbox.outbox.endpoints.get(id_)
    if endpoint is None:
        raise UnknownRecordError("no webhook with that id; list them with GET /webhooks")
    return endpoint


def _webhook(endpoint: Endpoint) -> WebhookShown:
    return WebhookShown(
        id=endpoint.id,
        url=redact_target(endpoint.url),
        webhook_type=endpoint.webhook_type,
        secret=mask(endpoint.secret),
        registered_at=endpoint.registered_at,
        failures=endpoint.failures,
        disabled=endpoint.disabled,
    )
