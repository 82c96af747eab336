"""Faults: scripted ones, hostile answers, rate windows, stored answers."""

from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.messages import Response

_STATUSES = (500, 502, 503, 504, 429, 401, 403, 404, 409)


def faults(visit: Visit) -> Response:
    """What is scripted, and what can be."""
    return visit.page(
        "faults.html",
        "Faults",
        faults=visit.ask("faults list")["items"],
        operations=sorted(one.name for one in OPERATIONS),
        statuses=_STATUSES,
        catalogue=visit.ask("faults catalogue")["items"],
        limits=visit.ask("limits show")["items"],
        stored=visit.ask("idempotency list")["items"],
    )


ROUTES = (Route("GET", "faults", faults),)
