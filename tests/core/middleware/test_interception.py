"""Interceptors: they see, hold and replace requests, the newest outermost."""

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response

AGENTS = "/v1/agents"


def test_an_interceptor_replaces_the_answer(caller: Client) -> None:
    """While the context is open; the sandbox then sees no request."""
    seen = caller.sandbox.journal.seen
    with caller.sandbox.interceptors.use(lambda _request, _handle: Response(status=299)):
        assert caller.get(AGENTS).status == 299
    assert caller.sandbox.journal.seen == seen
    assert caller.get(AGENTS).status == 200


def test_the_newest_interceptor_is_outermost(caller: Client) -> None:
    """It is the first to get the request, and the last to get the answer."""
    order: list[str] = []

    def noting(request: Request, handle: Handle, name: str) -> Response:
        order.append(f"{name} before")
        response = handle(request)
        order.append(f"{name} after")
        return response

    use = caller.sandbox.interceptors.use
    with use(lambda r, h: noting(r, h, "old")), use(lambda r, h: noting(r, h, "new")):
        assert caller.get(AGENTS).status == 200
    assert order == ["new before", "old before", "old after", "new after"]


def test_an_interceptor_is_removed_after_an_error(caller: Client) -> None:
    """An interceptor may break the connection; afterwards the sandbox answers again."""

    def broken(request: Request, handle: Handle) -> Response:
        raise ConnectionFailure("reset")

    with pytest.raises(ConnectionFailure), caller.sandbox.interceptors.use(broken):
        caller.get(AGENTS)
    assert caller.get(AGENTS).status == 200
