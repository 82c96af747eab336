"""The documented examples of the events, with fresh ids and some names beyond ASCII.

A test webhook contains one, and the factory starts with it.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from pytest_turris.core.entity.event_models import EVENTS, WebhookEvent

_FRESH = object()

_NOT_ASCII = {
    "productName": "Property & Casualty (Español)",
    "contractContainerTemplateName": "Producer Agreement (Español)",
}
"""New names for the documented ones, which are all ASCII: a receiver has to accept any."""


def example(webhook_type: str, upstream_entity_id: str, new_id: Callable[[], str]) -> Any:  # noqa: ANN401 - JSON
    """The example of an event as it is sent, by one upstream entity, each id in it fresh."""
    return filled(_sent(EVENTS[webhook_type]) | {"upstreamEntityId": upstream_entity_id}, new_id)


@cache
def template(event: type[WebhookEvent]) -> dict[str, Any]:
    """The example of an event with every optional member, and a gap for each id in it.

    All callers share it, and must not change it.
    """
    whole: dict[str, Any] = _with_gaps(event.model_validate({}).model_dump(by_alias=True))
    return whole


def filled(node: object, new_id: Callable[[], str]) -> Any:  # noqa: ANN401 - as deep as JSON
    """A copy in which each gap left for an id holds a fresh one."""
    if isinstance(node, dict):
        # Most values are texts without gaps; to skip them saves half of the time.
        return {
            name: value if type(value) is str else filled(value, new_id)
            for name, value in node.items()
        }
    if node is _FRESH:
        return new_id()
    return [filled(value, new_id) for value in node] if isinstance(node, list) else node


@cache
def _sent(event: type[WebhookEvent]) -> dict[str, Any]:
    """The example as it is sent, with a gap for each id in it; shared as well."""
    sent: dict[str, Any] = _with_gaps(event.model_validate({}).wire())
    return sent


def _with_gaps(node: object) -> Any:  # noqa: ANN401 - as deep as JSON
    if isinstance(node, dict):
        return {
            name: _FRESH if name.endswith("Id") else _NOT_ASCII.get(name) or _with_gaps(value)
            for name, value in node.items()
        }
    return [_with_gaps(value) for value in node] if isinstance(node, list) else node
