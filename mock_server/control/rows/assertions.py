"""The assertions of a test about its client, and whether they hold."""

from collections.abc import Callable
from functools import partial
from typing import Literal

from pydantic import Field

from mock_server.control.control import ControlCall, Judging, control
from mock_server.control.models import Parameters, Result
from mock_server.control.wire.wording import in_commands
from pytest_turris.core.sandbox import Sandbox

Assertion = Literal[
    "token-requests",
    "no-token-in-urls",
    "refreshed-within-buffer",
    "no-expired-token-used",
    "retried-safely",
]


class CheckAssertion(Parameters):
    """Which assertion."""

    name: Assertion = Field(description="The assertion.")
    expected: int = Field(
        1, ge=0, le=10**9, description="token-requests: how many there should have been."
    )


class AssertionResult(Result):
    """Whether it holds; if not, ``message`` lists the exchanges that it is about."""

    holds: bool
    message: str


@control(
    "assertions",
    "check",
    "GET",
    "/assertions/{name}",
    words=("assert",),
    judges=Judging("holds", "the assertion does not hold: {message}"),
)
def _check(call: ControlCall, given: CheckAssertion) -> AssertionResult:
    """Say whether an assertion about the client holds."""
    try:
        assertion_of(call.tenant.sandbox, given.name, given.expected)()
    except AssertionError as error:
        return AssertionResult(holds=False, message=in_commands(str(error)))
    return AssertionResult(holds=True, message="")


ROWS = (_check,)


def assertion_of(sandbox: Sandbox, name: Assertion, expected: int) -> Callable[[], None]:
    """Return the method of the sandbox that asserts it."""
    method: Callable[..., None] = getattr(sandbox, f"assert_{name.replace('-', '_')}")
    return partial(method, expected) if name == "token-requests" else method
