"""The events that a receiver acts on, as a test names them."""

from collections.abc import Iterable, Mapping

from pytest_turris.attacks.context import ALL_EVENTS, Events
from pytest_turris.attacks.hooks import HookError
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.text.names import nearest


def acted_events(given: Events | Iterable[str] | None) -> Events:
    """Return the events that a receiver acts on, each with the members that it requires.

    Args:
        given: Names of events, one name, or a mapping of names to members; None means all.

    Raises:
        UnknownNameError: There is no such event; the message names the nearest.
        HookError: It is empty, or it maps a name to something other than members.
    """
    if given is None:
        return ALL_EVENTS
    if isinstance(given, str):
        given = (given,)
    events = given if isinstance(given, Mapping) else {name: {} for name in given}
    if not events:
        raise HookError("events= is empty: name the events that the receiver acts on")
    for name, members in events.items():
        if name not in EVENTS:
            near = nearest(str(name), EVENTS) or " or ".join(EVENTS)
            raise UnknownNameError(f"events=: no event {name!r}: did you mean {near}?")
        if not isinstance(members, Mapping):
            kind = type(members).__name__
            raise HookError(f"events={{{name!r}: ...}} must be a dict of members, not {kind}")
    return events
