"""The checklist: what the audit found in this sandbox's exchanges so far."""

from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.wire.messages import Response


def checklist(visit: Visit) -> Response:
    """Each line of the checklist, and each finding with its exchanges."""
    return visit.page("checklist.html", "Checklist", audit=visit.ask("audit show"))


ROUTES = (Route("GET", "checklist", checklist),)
