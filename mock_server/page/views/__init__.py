"""What the page shows: one module per page, with its routes."""

from mock_server.page.views import (
    actions,
    overview,
    replays,
    requests,
)

ROUTES = (
    *actions.ROUTES,
    *overview.ROUTES,
    *requests.ROUTES,
    *replays.ROUTES,
)
"""All routes. The first that fits a request answers it."""
