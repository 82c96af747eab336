"""Finds how to reach a receiver, whatever it is, and posts to it."""

import inspect
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.receivers import asgi, wsgi
from pytest_turris.receivers import socket_post as connection
from pytest_turris.receivers.client_adapters import client_apost, client_post
from pytest_turris.receivers.egress import Destination, check
from pytest_turris.receivers.exchange import Post, WebhookAnswer, raised

__all__ = ["WebhookAnswer", "adeliver", "deliver"]

_ACCEPTED = """a receiver is one of
  - a URL on this machine, such as 'http://127.0.0.1:8000/webhooks'
  - an ASGI application (FastAPI, Starlette, a coroutine function of scope, receive, send)
  - a WSGI application (Flask, Django, a function whose second parameter is start_response)
  - a client: httpx.Client, httpx.AsyncClient (with asend), or Starlette's, Flask's, Django's own
  - a function verify(body, headers) that returns True or False"""

_ASGI_PARAMETERS = ["scope", "receive", "send"]
_VERIFY_PARAMETERS = ["body", "headers"]


class TargetError(TurrisKitError, TypeError):
    """A webhook cannot be sent to that object, or the object answered with the wrong type."""


def deliver(target: object, sent: Post, *, allow: Collection[str] = ()) -> WebhookAnswer:
    """Post to a receiver: a URL, an application, a test client or a verifying function.

    An application that raises has answered 500, with what it raised in ``error``. A function
    ``verify(body, headers)`` stands for a receiver that answers 204 if it returns True and 401
    if it returns False: our convention, Turris has no say in it.

    Args:
        target: The receiver.
        sent: The request. A URL's own path is kept, and the request's appended to it.
        allow: The ``host:port`` that a URL may lead to beside this machine.

    Raises:
        TargetError: The target is none of these.
        EgressRefused: The URL leads elsewhere.
        OSError: No answer came over the socket.
    """
    return way_to(target, allow=allow)(sent)


def way_to(
    target: object, *, allow: Collection[str] = (), own_port: int = 0
) -> Callable[[Post], WebhookAnswer]:
    """How to post to a receiver again and again; ``deliver`` says what comes of it.

    A URL is looked up and checked at each post. ``own_port`` is a port of this machine that
    none may lead to.

    Raises:
        TargetError: The target is nothing that can be sent to.
    """
    if isinstance(target, str):
        return partial(_over_a_socket, target, allow, own_port)
    if client_apost(target):
        raise TargetError("an asynchronous client needs 'await webhook.asend(...)'")
    return partial(_in_process(target), target)


async def adeliver(target: object, sent: Post, *, allow: Collection[str] = ()) -> WebhookAnswer:
    """Post as ``deliver`` does, on the running loop where the receiver is asynchronous too.

    URLs are posted to from a worker thread; WSGI applications and synchronous clients run in
    this one, and block the loop meanwhile.
    """
    if isinstance(target, str):
        import anyio.to_thread  # noqa: PLC0415 - httpx brings it; only this branch needs it

        where = _destination(target, sent, allow, own_port=0)
        return await anyio.to_thread.run_sync(connection.post, where, sent)
    if apost := client_apost(target):
        return await apost(target, sent)
    post = _in_process(target)
    if post is asgi.post:
        return await asgi.apost(target, sent)  # type: ignore[arg-type]  # _in_process has checked
    return post(target, sent)


def is_asgi(target: object) -> bool:
    """Whether a receiver is an ASGI application; TypeError if it is no receiver."""
    return _in_process(target) is asgi.post


def _over_a_socket(url: str, allow: Collection[str], own_port: int, sent: Post) -> WebhookAnswer:
    return connection.post(_destination(url, sent, allow, own_port), sent)


def _destination(url: str, sent: Post, allow: Collection[str], own_port: int) -> Destination:
    whole = url.rstrip("/") + sent.app_path if sent.path else url
    return check(whole, allow=allow, own_port=own_port)


def _in_process(target: object) -> Callable[[Any, Post], WebhookAnswer]:
    if post := client_post(target):
        return post
    parameters = [] if isinstance(target, type) else _parameters(target)
    is_async = _is_async(target)
    if len(parameters) == len(_ASGI_PARAMETERS) and (is_async or parameters == _ASGI_PARAMETERS):
        return asgi.post
    if parameters[1:2] == ["start_response"]:
        return wsgi.post
    if len(parameters) == len(_VERIFY_PARAMETERS) and not is_async:
        return _ask
    raise TargetError(f"cannot send to {type(target).__name__} object: {_ACCEPTED}")


def _parameters(target: object) -> list[str]:
    """The names of a callable's required positional parameters, none if it is not callable."""
    if not callable(target):
        return []
    try:
        parameters = inspect.signature(target).parameters.values()
    except ValueError:  # a builtin without a signature
        return []
    return [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]


def _is_async(target: object) -> bool:
    call = getattr(target, "__call__", None)  # noqa: B004 - the method itself is looked at
    return inspect.iscoroutinefunction(target) or inspect.iscoroutinefunction(call)


def _ask(verify: Callable[[bytes, Any], object], sent: Post) -> WebhookAnswer:
    import httpx  # noqa: PLC0415 - its case-insensitive headers are wanted here alone

    try:
        verdict = verify(sent.body, httpx.Headers(sent.raw_headers, encoding="latin-1"))
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return raised(error)
    if not isinstance(verdict, bool):
        raise TargetError(f"verify(body, headers) returned {type(verdict).__name__}, not a bool")
    return WebhookAnswer(status_code=204 if verdict else 401, headers={})
