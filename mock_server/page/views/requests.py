"""The requests: live, filtered, one in detail."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from mock_server.page.rendering import as_html, render
from mock_server.page.views.moments import rate_window_then, token_then
from mock_server.page.views.numbers import number_in
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.messages import Response

_PART = 100
"""How many rows come at a time."""

_MOST_LIVE = 20
"""How many rows one look sends. The list has the others."""

_FILTERS = ("text", "operation", "credential")


def requests(visit: Visit) -> Response:
    """The list, newest first; for its own elements only the part that they ask for."""
    found = _listed(visit)
    if visit.fragment == "older":
        return visit.part("rows.html", tenant=visit.tenant.name, **found)
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
    """The rows of the exchanges that come, each as one line of HTML.

    Raises:
        ControlError: A filter does not fit.
    """
    journal = visit.tenant.sandbox.journal
    filters = _filters(visit)
    since = number_in(visit.query.get("since", str(journal.seen)))
    while True:
        since = since if since <= journal.seen else 0  # a reset begins to count again
        if journal.seen == since:
            yield []
            continue
        # Without filters only what is shown is looked at, however many requests come.
        oldest = since if filters else max(since, journal.seen - _MOST_LIVE)
        since = journal.seen
        listed = visit.ask(
            "journal list", since=oldest, limit=_MOST_LIVE, newestFirst=True, **filters
        )
        rows = render("rows.html", base=visit.base, older="", **listed)
        yield [" ".join(rows.split("\n")).encode()] if listed["items"] else []


ROUTES = (
    Route("GET", "requests", requests),
    Route("GET", "requests/{number}", request),
)


def _listed(visit: Visit) -> dict[str, Any]:
    """The rows of a list, and where the older ones are."""
    filters, journal = _filters(visit), visit.tenant.sandbox.journal
    offset = number_in(visit.query.get("offset", "0"))
    # The first look at 10,000 exchanges redacts them all, which takes a while; not for the newest.
    since = 0 if filters or offset else max(0, journal.seen - _PART)
    found: dict[str, Any] = visit.ask(
        "journal list", limit=_PART, offset=offset, since=since, newestFirst=True, **filters
    )
    if since:
        found["total"] = len(journal)
    more = offset + _PART < found["total"]
    older = "&".join([f"offset={offset + _PART}", _query(visit)]).rstrip("&") if more else ""
    return found | {"older": older, "seen": journal.seen, "query": _query(visit)}


def _choices(visit: Visit) -> dict[str, Any]:
    credentials = [one["id"] for one in visit.ask("credentials list")["items"]]
    return {
        "operations": sorted(one.name for one in OPERATIONS),
        "credentials": credentials,
        "filters": {name: visit.query.get(name, "") for name in (*_FILTERS, "status", "refused")},
        "dropped": visit.tenant.sandbox.journal.dropped,
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
