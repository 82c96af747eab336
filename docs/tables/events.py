"""The events with the members of their payloads, which the help of ``trigger`` lists."""

import json
from typing import Any

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.outbox.event_examples import template


def as_json() -> str:
    """Each event with the members that ``--set`` takes."""
    return json.dumps({name: _members(template(event)) for name, event in EVENTS.items()}) + "\n"


def _members(event: dict[str, Any]) -> list[str]:
    payload = event["payload"]
    return list(payload[0] if isinstance(payload, list) else payload)
