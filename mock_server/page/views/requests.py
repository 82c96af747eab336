"""The requests: live, filtered, one in detail."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from mock_server.control.wire.errors import ControlError
from mock_server.page.moments import rate_window_then, token_then
from mock_server.page.rendering import as_html, moved, render
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit, number_in
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.journal.journal import Journal
from pytest_turris.core.wire.messages import Response

_PART = 50
"""How many rows come at a time."""

_BURST, _STEADY = 100, 5
"""The maximum number of rows that a stream sends at one look."""

_AHEAD = 150
"""How many exchanges an idle look redacts, so that the first filter is fast."""

_FILTERS = ("text", "operation", "credential")


def requests(visit: Visit) -> Response:
    """The list, newest first; for its own elements only the requested part."""
    if (name := visit.query.get("tenant", visit.tenant.name)) != visit.tenant.name:
        return _of_another(visit, name)
    found = _listed(visit)
    if visit.fragment == "older":
        return visit.part("rows.html", skipped=0, **found)
    if visit.fragment == "list":
        dropped = visit.tenant.sandbox.journal.dropped
        return visit.part("list.html", skipped=0, dropped=dropped, **found)
    return visit.page("requests.html", "Requests", exchange=None, **found, **_choices(visit))


def request(visit: Visit, number: str) -> Response:
    """One exchange, next to the list or alone."""
    exchange = visit.ask("journal get", number=number_in(number))
    details = {
        "exchange": exchange,
        "window": rate_window_then(visit.tenant.sandbox, exchange["number"]),
        "token": token_then(visit.tenant.sandbox, exchange["number"]),
        "is_kept": visit.tenant.kept is not None,
    }
    if visit.fragment == "detail":
        return as_html(render("exchange.html", base=visit.base, **details))
    around = _listed(visit) | _choices(visit)
    return visit.page("requests.html", f"Request {number}", **around, **details)


def follow_requests(visit: Visit) -> Iterator[list[bytes]]:
    """Yield the rows of new exchanges, those of one look as one line of HTML.

    Raises:
        ControlError: A filter does not fit.
    """
    journal = visit.tenant.sandbox.journal
    filters = _filters(visit)
    since = number_in(visit.query.get("since", str(journal.seen)))
    room, ahead = _BURST, 0
    while True:
        room = min(_BURST, room + _STEADY)
        if since > journal.seen:
            since, ahead = 0, 0  # a reset restarts the numbering
        if journal.seen == since:
            ahead = _read_ahead(journal, ahead)
            yield []
            continue
        # Without filters, only the shown exchanges are read, even if many requests come.
        seen = journal.seen
        oldest = since if filters else max(since, seen - room)
        listed = visit.ask("journal list", since=oldest, limit=room, newestFirst=True, **filters)
        items = listed["items"]
        skipped = listed["total"] + oldest - since - len(items)
        # More may have come between the two looks at the journal.
        since = max([seen, *(one["number"] for one in items[:1])])
        room -= len(items)
        rows = render("rows.html", base=visit.base, before=0, skipped=skipped, **listed)
        yield [" ".join(rows.split("\n")).encode()] if listed["total"] else []


ROUTES = (
    Route("GET", "requests", requests),
    Route("GET", "requests/{number}", request),
)


def _read_ahead(journal: Journal, ahead: int) -> int:
    """Redact the next exchanges after a number, and return the number of the last."""
    read = journal.since(ahead, _AHEAD) if ahead < journal.seen else ()
    return read[-1].number if read else ahead


def _of_another(visit: Visit, name: str) -> Response:
    """The list of another tenant, with the same filters."""
    if name not in visit.call.tenants.names:
        raise ControlError(404, "There is no such tenant any more.")
    to = f"/__sandbox__/page/{quote(name, safe='')}/requests?{_query(visit)}"
    is_part = bool(visit.request.header("hx-request"))
    return Response(status=204, headers=(("hx-redirect", to),)) if is_part else moved(to)


def _listed(visit: Visit) -> dict[str, Any]:
    """Return the rows of a list, and the number before which the older ones are."""
    filters, journal = _filters(visit), visit.tenant.sandbox.journal
    seen, before = journal.seen, number_in(visit.query.get("before", "0"))
    # The first look at 10,000 exchanges redacts them all, which takes a while; not for the newest.
    first = 0 if filters else max(0, (before - 1 if before else seen) - _PART)
    offset = _count_from(visit, before, filters) if before else 0
    found: dict[str, Any] = visit.ask(
        "journal list", limit=_PART, offset=offset, since=first, newestFirst=True, **filters
    )
    items = found["items"]
    is_all = offset + len(items) >= found["total"] and first <= journal.dropped
    if not filters:
        found["total"] = len(journal)
    older = items[-1]["number"] if items and not is_all else 0
    return found | {"before": older, "seen": seen, "query": _query(visit)}


def _count_from(visit: Visit, before: int, filters: dict[str, Any]) -> int:
    """How many exchanges the filters leave from a number on."""
    count = visit.ask("journal list", since=max(0, before - 1), limit=1, **filters)["total"]
    return int(count)


def _choices(visit: Visit) -> dict[str, Any]:
    credentials = [one["id"] for one in visit.ask("credentials list")["items"]]
    return {
        "operations": sorted(one.name for one in OPERATIONS),
        "credentials": credentials,
        "filters": {name: visit.query.get(name, "") for name in (*_FILTERS, "status", "refused")},
        "dropped": visit.tenant.sandbox.journal.dropped,
        "skipped": 0,
    }


def _filters(visit: Visit) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: text for name in _FILTERS if (text := visit.query.get(name, "").strip())
    }
    if status := visit.query.get("status", "").strip():
        found["status"] = number_in(status)
    if visit.query.get("refused"):
        found["refused"] = True
    return found


def _query(visit: Visit) -> str:
    names = (*_FILTERS, "status", "refused")
    return urlencode({name: text for name in names if (text := visit.query.get(name, "").strip())})
