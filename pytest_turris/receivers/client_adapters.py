"""Posts through the clients that test suites already have: httpx, Starlette, Flask, Django."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pytest_turris.receivers.exchange import Post, WebhookAnswer, folded, raised
from pytest_turris.receivers.wsgi import environ_headers


def client_post(receiver: object) -> Callable[[Any, Post], WebhookAnswer] | None:
    """Return the function that posts through a client; None if it is not a known client.

    Clients are known by the names of their classes, so that no framework is imported here.
    """
    return next((_CLIENTS[name] for name in _ancestry(receiver) if name in _CLIENTS), None)


def client_apost(receiver: object) -> Callable[[Any, Post], Awaitable[WebhookAnswer]] | None:
    """Return the function that posts through an asynchronous client; None if it is not one."""
    return _async_httpx if not _ASYNC_CLIENTS.isdisjoint(_ancestry(receiver)) else None


def request_errors() -> tuple[type[Exception], ...]:
    """Return what httpx and httpx2, as far as they are loaded, raise without a response."""
    libraries = (sys.modules.get(name) for name in ("httpx", "httpx2"))
    return tuple(library.RequestError for library in libraries if library is not None)


def _ancestry(receiver: object) -> list[str]:
    """The classes of a receiver as ``top-level package.name``."""
    return [f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(receiver).__mro__]


def _httpx_options(sent: Post) -> dict[str, Any]:
    return {"content": sent.body, "headers": sent.raw_headers, "follow_redirects": False}


def _httpx_answer(response: Any) -> WebhookAnswer:  # noqa: ANN401 - of httpx or of httpx2
    return WebhookAnswer(
        status_code=response.status_code,
        headers=folded(response.headers.multi_items()),
        body=response.content,
    )


def _httpx_failed(error: Exception) -> WebhookAnswer:
    """The answer of an application behind the client that raised; no answer is raised again."""
    if isinstance(error, request_errors()):
        raise error
    return raised(error)


def _httpx(client: Any, sent: Post) -> WebhookAnswer:  # noqa: ANN401 - of httpx or of httpx2
    try:
        response = client.request(sent.method, sent.app_path, **_httpx_options(sent))
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return _httpx_failed(error)
    return _httpx_answer(response)


async def _async_httpx(client: Any, sent: Post) -> WebhookAnswer:  # noqa: ANN401 - as above
    try:
        response = await client.request(sent.method, sent.app_path, **_httpx_options(sent))
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return _httpx_failed(error)
    return _httpx_answer(response)


def _werkzeug(client: Any, sent: Post) -> WebhookAnswer:  # noqa: ANN401 - an optional library's
    try:
        response = client.open(
            sent.app_path,
            method=sent.method,
            data=sent.body,
            headers=list(sent.headers),
            buffered=True,
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return raised(error)
    return WebhookAnswer(
        status_code=response.status_code,
        headers=folded(response.headers),
        body=response.get_data(),
    )


def _django(client: Any, sent: Post) -> WebhookAnswer:  # noqa: ANN401 - an optional library's
    meta = environ_headers(sent)
    content_type = meta.pop("CONTENT_TYPE", "")
    try:
        response = client.generic(sent.method, sent.app_path, sent.body, content_type, **meta)
        body = response.getvalue()
    except Exception as error:  # noqa: BLE001 - whatever it is, a server answers 500
        return raised(error)
    return WebhookAnswer(
        status_code=response.status_code, headers=folded(response.items()), body=body
    )


_CLIENTS: dict[str, Callable[[Any, Post], WebhookAnswer]] = {
    "httpx.Client": _httpx,
    "httpx2.Client": _httpx,
    "werkzeug.Client": _werkzeug,
    "django.Client": _django,
}
_ASYNC_CLIENTS = frozenset({"httpx.AsyncClient", "httpx2.AsyncClient"})
