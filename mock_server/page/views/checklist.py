"""The checklist: what the auditor found in this sandbox's exchanges so far."""

from mock_server.control.table import CONTROLS
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.wire.messages import Response


def checklist(visit: Visit) -> Response:
    """Each line of the checklist, and each finding with its exchanges."""
    found = visit.ask("audit show") if "audit show" in CONTROLS else None
    return visit.page("checklist.html", "Checklist", audit=found)


ROUTES = (Route("GET", "checklist", checklist),)
