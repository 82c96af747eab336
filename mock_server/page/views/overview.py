"""The overview: the clock, the credentials, the limits, faults, tenants."""

from mock_server.page.rendering import plain
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from mock_server.serving.files.env_file import exports
from pytest_turris.core.wire.messages import Response


def overview(visit: Visit) -> Response:
    """The state of the sandbox at a glance."""
    return visit.page(
        "overview.html",
        "Overview",
        state=visit.ask("sandbox show"),
        credentials=visit.ask("credentials list")["items"],
        limits=visit.ask("limits show")["items"],
        faults=visit.ask("faults list")["items"],
        failures=visit.ask("journal failures")["failures"],
        all_tenants=visit.ask("tenants list")["items"],
        is_kept=visit.tenant.kept is not None,
    )


def environment_file(visit: Visit) -> Response:
    """The environment variables of a client, with its secret, for the clipboard."""
    variables = visit.tenant.environment
    return plain("".join(f"{name}={text}\n" for name, text in variables.items()))


def environment_exports(visit: Visit) -> Response:
    """The same as lines for a shell."""
    return plain(exports(visit.tenant.environment))


def token_request(visit: Visit) -> Response:
    """A token request for a shell that has those variables."""
    certificate = " --cacert $SSL_CERT_FILE" if "SSL_CERT_FILE" in visit.tenant.environment else ""
    body = '{"clientId":"\'$TURRIS_CLIENT_ID\'","clientSecret":"\'$TURRIS_CLIENT_SECRET\'"}'
    return plain(
        f"{exports(visit.tenant.environment)}curl{certificate} $TURRIS_BASE_URL/v1/auth/jwt \\\n"
        f"  -H 'Content-Type: application/json' -d '{body}'\n"
    )


ROUTES = (
    Route("GET", "overview", overview),
    Route("POST", "copy/env", environment_file),
    Route("POST", "copy/exports", environment_exports),
    Route("POST", "copy/token-request", token_request),
)
