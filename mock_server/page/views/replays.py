"""A request again: as text to copy, sent again, or undone with the sandbox as it was before."""

from mock_server.control.wire.errors import ControlError
from mock_server.page.rendering import plain
from mock_server.page.reproduction.recipe import recipe_for, step_before
from mock_server.page.reproduction.source import source
from mock_server.page.resending import curl, exchange_of, request_again
from mock_server.page.views.actions import notice
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit, number_in
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Response


def as_curl(visit: Visit, number: str) -> Response:
    """The request as a command."""
    return plain(curl(visit.tenant, _exchange(visit, number)))


def as_pytest(visit: Visit, number: str) -> Response:
    """The request as a test, which was tried."""
    exchange = _exchange(visit, number)
    return plain(source(recipe_for(visit.tenant, exchange)))


def again(visit: Visit, number: str) -> Response:
    """Send the request to the sandbox again."""
    sandbox = visit.tenant.sandbox
    try:
        request = request_again(visit.tenant, _exchange(visit, number))
        visit.log(f"page, request {number} of {visit.tenant.name} again")
        status = visit.tenant.handle(request).status
    except ConnectionFailure:
        return notice(visit, f"Sent again as number {sandbox.journal.seen}: no answer.")
    except ControlError as error:
        return notice(visit, str(error), is_bad=True)
    return notice(visit, f"Sent again as number {sandbox.journal.seen}: {status}.")


def _rewind(visit: Visit, number: str) -> Response:
    """Restore the sandbox as it was before the request."""
    try:
        step = _step(visit, number)
        visit.ask("history rewind", step=step)
    except ControlError as error:
        return notice(visit, str(error), is_bad=True)
    return notice(visit, f"The sandbox is as it was before request {number}, after step {step}.")


def _fork(visit: Visit, number: str) -> Response:
    """Make a tenant with the state before the request, and go there."""
    name = _free_name(visit, f"{visit.tenant.name[:40]}-before-{number_in(number)}")
    try:
        visit.do("history fork", {"step": _step(visit, number), "as": name})
    except ControlError as error:
        return notice(visit, str(error), is_bad=True)
    return Response(status=204, headers=(("hx-redirect", f"/__sandbox__/page/{name}/overview"),))


ROUTES = (
    Route("POST", "requests/{number}/curl", as_curl),
    Route("POST", "requests/{number}/pytest", as_pytest),
    Route("POST", "requests/{number}/again", again),
    Route("POST", "requests/{number}/rewind", _rewind),
    Route("POST", "requests/{number}/fork", _fork),
)


def _exchange(visit: Visit, number: str) -> Exchange:
    return exchange_of(visit.tenant.sandbox, number_in(number))


def _step(visit: Visit, number: str) -> int:
    exchange = _exchange(visit, number)
    # This comes first: without a store, its error says how to start the server with one.
    visit.ask("history list", limit=1)
    step = step_before(visit.tenant, exchange.number)
    if step is None:
        raise ControlError(404, "The history does not reach back to before this request.")
    return step


def _free_name(visit: Visit, name: str) -> str:
    taken, count, found = visit.call.tenants.names, 1, name
    while found in taken:
        count += 1
        found = f"{name}-{count}"
    return found
