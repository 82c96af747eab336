"""The parameters of callables, and errors about objects that are not receivers."""

import inspect

ACCEPTED = """a receiver is one of
  - a URL on this machine, such as 'http://127.0.0.1:8000/webhooks'
  - an ASGI application (FastAPI, Starlette, a coroutine function of scope, receive, send)
  - a WSGI application (Flask, Django, a function with the parameter environ or start_response)
  - a client: httpx.Client, httpx.AsyncClient (with asend), or Starlette's, Flask's, Django's own
  - a function verify(body, headers) that returns True or False"""

_LAMBDA_PARAMETERS = ["event", "context"]
_HINTS = {
    "aiohttp.Application": "an aiohttp application runs in its own server only: start one, such as "
    "aiohttp.test_utils.TestServer, and pass its URL (with asend or arun in an async test)",
}


def hint_for(receiver: object, parameters: list[str]) -> str | None:
    """What to pass in place of an object that looks like a receiver; None if unknown."""
    if parameters == _LAMBDA_PARAMETERS:
        return "an AWS Lambda handler gets events: pass LambdaReceiver(handler, source=...)"
    kind = type(receiver)
    return _HINTS.get(f"{kind.__module__.partition('.')[0]}.{kind.__name__}")


def described(receiver: object, parameters: list[str]) -> str:
    """An object in words: ``a Foo object``, or ``an async function of (a, b)``."""
    if inspect.isroutine(receiver):
        kind = "an async" if is_async_callable(receiver) else "a"
        return f"{kind} function of ({', '.join(parameters)})"
    return f"{type(receiver).__name__} object"


def required_parameters(receiver: object) -> list[str]:
    """The names of a callable's required positional parameters; empty if it is not callable."""
    if not callable(receiver):
        return []
    try:
        parameters = inspect.signature(receiver).parameters.values()
    except ValueError:  # a builtin without a signature
        return []
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]


def is_async_callable(receiver: object) -> bool:
    """Whether it is a coroutine function, or an object whose ``__call__`` is one."""
    call = getattr(receiver, "__call__", None)  # noqa: B004 - the method itself is inspected
    return inspect.iscoroutinefunction(receiver) or inspect.iscoroutinefunction(call)
