"""What the page shows: one module per page, with its routes."""

from mock_server.page.views import (
    actions,
    attacks,
    checklist,
    data,
    faults,
    overview,
    replays,
    requests,
    tokens,
    webhooks,
)

ROUTES = (
    *actions.ROUTES,
    *overview.ROUTES,
    *requests.ROUTES,
    *replays.ROUTES,
    *tokens.ROUTES,
    *data.ROUTES,
    *webhooks.ROUTES,
    *attacks.ROUTES,
    *faults.ROUTES,
    *checklist.ROUTES,
)
"""All routes. The first that fits a request answers it."""
