"""What kind of receiver a callable is, by its parameters."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from doubles.attacked_project import run

from pytest_turris.receivers.target import AsgiTarget, Target, VerifierTarget, WsgiTarget


def named(first: str, second: str) -> Callable[..., object]:
    """A function with parameters of these names, which may have annotations."""
    made: dict[str, Any] = {"Callable": Callable}
    exec(f"def app({first}, {second}, /): pass", made)  # noqa: S102 - our own names
    function: Callable[..., object] = made["app"]
    return function


def test_wsgi_applications_are_known_by_either_parameter() -> None:
    """PEP 3333 passes both by their position, and leaves their names to the application."""
    for parameters in (
        ("environ", "x"), ("env", "start"), ("_environ", "_"), ("wsgi_env", "sr"),
        ("request", "start"), ("e", "start_response"), ("e", "respond"),
        ("e: 'WSGIEnvironment'", "s"), ("e", "s: 'StartResponse'"), ("e: dict", "s: Callable"),
    ):  # fmt: skip
        assert isinstance(Target.of(named(*parameters)), WsgiTarget), parameters


def test_functions_of_a_body_are_known_by_either_parameter() -> None:
    """A parameter that says bytes or headers is enough, whatever the other is called."""
    for parameters in (
        ("body", "headers"), ("_body", "_"), ("b", "h"), ("raw", "meta"), ("x: bytes", "y"),
        ("x", "y: dict"), ("event", "headers"), ("event: bytes", "http_headers"),
    ):  # fmt: skip
        assert isinstance(Target.of(named(*parameters)), VerifierTarget), parameters


async def asgi(s: object, r: object, send: object) -> None:
    """An ASGI application with names of its own."""


async def any_arguments(*args: object) -> None:
    """An ASGI application that passes on what it gets."""


class Wrapped:
    """An ASGI application in an object."""

    async def __call__(self, *args: object) -> None:
        """Answer."""


def late(scope: object, r: object, s: object) -> object:
    """A function that returns the coroutine of another."""
    return asgi(scope, r, s)


async def configured(limit: int, a: object, b: object, c: object) -> None:
    """An ASGI application, once its limit is given."""


@pytest.mark.parametrize(
    "app",
    [
        asgi,
        any_arguments,
        Wrapped(),
        late,
        partial(configured, 1),
        partial(Wrapped()),
    ],
    ids=range(6),
)
def test_asgi_applications_are_known_by_what_they_take(app: object) -> None:
    """What is async and takes three arguments is one, whatever their names."""
    assert isinstance(Target.of(app), AsgiTarget)


def test_functools_partial_is_known_by_what_is_left() -> None:
    """A parameter that is given already does not count."""

    def app(settings: object, env: dict[str, Any], start: Callable[..., object]) -> list[bytes]:
        start("204 No Content", [])
        return []

    assert isinstance(Target.of(partial(app, object())), WsgiTarget)


def test_unclear_function_is_refused_before_any_verdict(pytester: pytest.Pytester) -> None:
    """A guess would blame a correct application: the test fails, and no check does."""
    result = run(
        pytester, "def app(e, s):", "    s('204 No Content', [])", "    return []",
        "def test_receiver(turris_webhook_attack):",
        "    turris_webhook_attack.run(app)",
        args=("-k", "WH-01"),
    )  # fmt: skip
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*TargetError: cannot send to a function of (e, s): its param*"])
    result.stdout.no_fnmatch_line("*failed (must)*")
