"""Webhooks: endpoints, deliveries with every attempt, and a form for events."""

import json
from typing import Any

from mock_server.control.wire.errors import ControlError
from mock_server.page.views.actions import notice
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit, number_in
from pytest_turris.core.wire.messages import Response

_SHOWN = 200
MEMBER = "member."
"""Before the path of a member in the form of an event."""


def webhooks(visit: Visit) -> Response:
    """The endpoints, and the newest deliveries."""
    endpoints = visit.ask("webhooks list")["items"]
    total = visit.ask("deliveries list", limit=1)["total"]
    found = visit.ask("deliveries list", limit=_SHOWN, offset=max(0, total - _SHOWN))["items"]
    urls = {one["id"]: one["url"] for one in endpoints}
    return visit.page(
        "webhooks.html",
        "Webhooks",
        endpoints=endpoints,
        deliveries=found[::-1],
        urls=urls,
        events=[one["webhookType"] for one in visit.ask("webhooks events")["items"]],
        network=visit.tenant.sandbox.outbox.network_faults,
    )


def delivery(visit: Visit, number: str) -> Response:
    """One delivery with its bytes and every attempt, in the dialog."""
    one = visit.ask("deliveries get", number=number_in(number))
    return visit.dialog("delivery.html", f"Delivery {number}", one=one)


def event_form(visit: Visit, kind: str) -> Response:
    """The documented example of an event, each member in a field."""
    return _event_form(visit, kind, members_of(_example(visit, kind)), visit.query.get("id", ""))


def send_event(visit: Visit, kind: str) -> Response:
    """Send an event with the members that differ from the example."""
    example, key = _example(visit, kind), visit.form.get("id", "")
    to = {"id": key} if key else {}
    try:
        members = changed_members(example, dict(visit.form))
        sent = visit.do("webhooks send", {"event": kind, "members": members, **to})["items"]
    except ControlError as error:
        shown = [
            (path, visit.form.get(f"{MEMBER}{path}", text)) for path, text in members_of(example)
        ]
        return _event_form(visit, kind, shown, key, str(error))
    answers = ", ".join(_outcome(one) for one in sent)
    return notice(visit, f"{kind} was sent: {answers}.")


ROUTES = (
    Route("GET", "webhooks", webhooks),
    Route("GET", "webhooks/deliveries/{number}", delivery),
    Route("GET", "webhooks/event/{kind}", event_form),
    Route("POST", "webhooks/event/{kind}", send_event),
)


def members_of(data: Any, path: str = "") -> list[tuple[str, str]]:  # noqa: ANN401 - JSON data
    """The plain values of a document by their paths, as JSON; a list is one value."""
    if isinstance(data, dict):
        return [
            found
            for name, value in data.items()
            for found in members_of(value, f"{path}.{name}".removeprefix("."))
        ]
    return [(path, data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))]


def changed_members(example: dict[str, Any], form: dict[str, str]) -> dict[str, Any]:
    """The members of a form that differ from the example, nested as they are in it.

    Raises:
        ControlError: A value that is not text is not JSON.
    """
    changed: dict[str, Any] = {}
    for path, before in members_of(example):
        text = form.get(f"{MEMBER}{path}", before)
        if text.replace("\r\n", "\n") == before:
            continue
        *parents, last = path.split(".")
        place, source = changed, example
        for name in parents:
            place, source = place.setdefault(name, {}), source[name]
        place[last] = text if isinstance(source[last], str) else _json(path, text)
    return changed


def _json(path: str, text: str) -> Any:  # noqa: ANN401 - JSON data
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ControlError(400, f"{path}: JSON is expected, as in the example.") from None


def _example(visit: Visit, kind: str) -> dict[str, Any]:
    for one in visit.ask("webhooks events")["items"]:
        if one["webhookType"] == kind:
            found: dict[str, Any] = one["example"]
            return found
    raise ControlError(404, "There is no such event.")


def _outcome(one: dict[str, Any]) -> str:
    last = one["attempts"][-1] if one["attempts"] else None
    if last is None:
        return "it waits"
    return str(last["status"] or last["error"])


def _event_form(
    visit: Visit, kind: str, members: list[tuple[str, str]], key: str, message: str = ""
) -> Response:
    return visit.part("event.html", kind=kind, members=members, id=key, message=message)
