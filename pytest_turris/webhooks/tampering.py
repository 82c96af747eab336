"""Changes inside a JSON body that keep it valid JSON, as an attacker in the middle makes them."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.webhooks.signature import compact_json

_LAST_DIGIT = re.compile(r"[0-9](?=[^0-9]*$)")


class TamperingError(TurrisKitError, ValueError):
    """A webhook cannot be changed in that way: nothing in it would differ."""


def with_one_value_changed(body: bytes) -> bytes:
    """Return the body with one value of its payload changed, of the same type and form.

    A text with a digit, such as an id or an NPN, is preferred. Its last digit changes, so that
    only the signature gives a receiver a reason to refuse the delivery.

    Raises:
        TamperingError: The body contains no value to change.
        ValueError: The body is not JSON.
    """
    holder = [json.loads(body)]
    envelope = holder[0]
    inside = isinstance(envelope, dict) and "payload" in envelope
    leaves = list(_leaves(envelope, "payload") if inside else _leaves(holder, 0))
    if not leaves:
        raise TamperingError("the body contains no value to tamper with")
    container, at = next((leaf for leaf in leaves if _has_digit(leaf[0][leaf[1]])), leaves[0])
    container[at] = _different(container[at])
    return compact_json(holder[0])


def with_members_changed(body: bytes, changes: Mapping[str, object]) -> bytes:
    """Return the body with members of the payload replaced; in an array, in each entry.

    ``webhookType`` and ``upstreamEntityId`` are replaced in the envelope. Names in snake_case
    are written in camelCase; unknown members are added.

    Raises:
        TamperingError: The body has no payload with members, or already has these values.
        ValueError: The body is not JSON.
    """
    envelope = json.loads(body)
    payload: Any = envelope.get("payload") if isinstance(envelope, dict) else None
    entries: list[Any] = payload if isinstance(payload, list) else [payload]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise TamperingError("the body has no payload with members to tamper with")
    for name, value in changes.items():
        member = to_camel(name)
        outside = member in {"webhookType", "upstreamEntityId"}
        for container in [envelope] if outside else entries:
            container[member] = value
    changed = compact_json(envelope)
    if json.loads(changed) == json.loads(body):
        raise TamperingError("the body already has these values: nothing was tampered with")
    return changed


def _leaves(container: Any, at: str | int) -> Iterator[tuple[Any, str | int]]:  # noqa: ANN401 - JSON
    node = container[at]
    if isinstance(node, dict | list):
        for inner in list(node) if isinstance(node, dict) else range(len(node)):
            yield from _leaves(node, inner)
    elif node is not None:
        yield container, at


def _has_digit(value: object) -> bool:
    return isinstance(value, str) and _LAST_DIGIT.search(value) is not None


def _different(value: str | float | bool) -> str | float | bool:  # noqa: FBT001 - a JSON value
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        other = _LAST_DIGIT.sub(lambda digit: str((int(digit[0]) + 1) % 10), value)
        return other if other != value else f"{value}x"
    return value + 1
