"""What kind of receiver a callable is, by its parameters; and errors about what is not one."""

import functools
import inspect
import re
from typing import Literal

Shape = Literal["asgi", "wsgi", "verify", "lambda", "unclear", "none"]

ACCEPTED = """a receiver is one of
  - a URL on this machine, such as 'http://127.0.0.1:8000/webhooks'
  - an ASGI application (FastAPI, Starlette, a coroutine function of scope, receive, send)
  - a WSGI application (Flask, Django, a function with the parameter environ or start_response)
  - a client: httpx.Client, httpx.AsyncClient (with asend), or Starlette's, Flask's, Django's own
  - a function verify(body, headers) that returns True or False"""

_ASGI_PARAMETERS = 3
_PARAMETERS = 2

# What a parameter is called, without underscores before it, or annotated with: "name: annotation".
_BODY = re.compile(r"\w*(?:body|payload|raw|data|content|webhook|message|msg|text)|b\b|.*: .*bytes")
_HEADERS = re.compile(r"\w*(?:header|hdr)|h\b|lines|sig|.*: .*(?:dict|Mapping)")
_ENVIRON = re.compile(r"(?:wsgi_?)?env(?:iron(?:ment)?)?\b|.*: .*WSGIEnv")
_START = re.compile(r"start|respond|sr\b|.*: .*(?:StartResponse|Callable)")
_EVENT = re.compile(r"\w*(?:event|evt)\b")
_CONTEXT = re.compile(r"\w*(?:context|ctx)\b|.*: .*LambdaContext")
_SCOPE = re.compile(r"scope\b|.*: .*Scope\b")
_SEND = re.compile(r"send\b|.*: .*Send")

_HINTS: dict[Shape, str] = {
    "lambda": "an AWS Lambda handler gets events: pass LambdaReceiver(handler, source=...)",
    "unclear": "its parameters do not say what it takes. Call those of a function body and "
    "headers, and those of a WSGI application environ and start_response; or pass "
    "lambda environ, start_response: app(environ, start_response)",
}
_HINTS_BY_CLASS = {
    "aiohttp.Application": "an aiohttp application runs in its own server only: start one, such as "
    "aiohttp.test_utils.TestServer, and pass its URL (with asend or arun in an async test)",
}


def shape_of(receiver: object) -> Shape:
    """Return what kind of receiver a callable is.

    What is async and takes three arguments is an ASGI application. Otherwise one of its parameters
    has to be known, by its name or its annotation: a guess would blame an application for it.
    """
    if isinstance(receiver, type):
        return "none"
    parameters = _required_parameters(receiver)
    if is_async_callable(receiver):
        fits = len(parameters) == _ASGI_PARAMETERS or (not parameters and _takes_any(receiver))
        return "asgi" if fits else "none"
    texts = [str(parameter).lstrip("_") for parameter in parameters]
    first, second, third = [*texts, "", "", ""][:3]
    if len(parameters) == _ASGI_PARAMETERS and (_SCOPE.match(first) or _SEND.match(third)):
        return "asgi"
    if _ENVIRON.match(first) or _START.match(second):
        return "wsgi"
    return _shape_of_two(first, second) if len(parameters) == _PARAMETERS else "none"


def _shape_of_two(first: str, second: str) -> Shape:
    """The kind of a function of two parameters that is not a WSGI application by their names."""
    if _CONTEXT.match(second) or (_EVENT.match(first) and not _HEADERS.match(second)):
        return "lambda"
    return "verify" if _BODY.match(first) or _HEADERS.match(second) else "unclear"


def hint_for(receiver: object) -> str:
    """Return what to pass in place of an object that is not a receiver."""
    kind = type(receiver)
    known = _HINTS_BY_CLASS.get(f"{kind.__module__.partition('.')[0]}.{kind.__name__}")
    return known or _HINTS.get(shape_of(receiver), ACCEPTED)


def described(receiver: object) -> str:
    """An object in words: ``a Foo object``, or ``an async function of (a, b)``."""
    if inspect.isroutine(receiver):
        kind = "an async" if is_async_callable(receiver) else "a"
        names = (parameter.name for parameter in _required_parameters(receiver))
        return f"{kind} function of ({', '.join(names)})"
    return f"{type(receiver).__name__} object"


def is_async_callable(receiver: object) -> bool:
    """Whether it is a coroutine function, or an object whose ``__call__`` is one."""
    while isinstance(receiver, functools.partial):
        receiver = receiver.func
    call = getattr(receiver, "__call__", None)  # noqa: B004 - the method itself is inspected
    return inspect.iscoroutinefunction(receiver) or inspect.iscoroutinefunction(call)


def _required_parameters(receiver: object) -> list[inspect.Parameter]:
    """The required positional parameters of a callable; empty if it is not callable."""
    return [
        parameter
        for parameter in _parameters(receiver)
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]


def _takes_any(receiver: object) -> bool:
    return any(parameter.kind is parameter.VAR_POSITIONAL for parameter in _parameters(receiver))


def _parameters(receiver: object) -> list[inspect.Parameter]:
    if not callable(receiver):
        return []
    try:
        return list(inspect.signature(receiver).parameters.values())
    except ValueError:  # a builtin without a signature
        return []
