"""Posts through the clients that test suites already have: httpx, Starlette, Flask, Django."""

import sys
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from pytest_turris.receivers.exchange import Post, WebhookResponse, fold_headers, response_to_error
from pytest_turris.receivers.in_process.client_egress import check_client_egress
from pytest_turris.receivers.in_process.wsgi import environ_headers


def client_post(
    receiver: object, allow: Collection[str] = (), own_port: int = 0
) -> Callable[[Any, Post], WebhookResponse] | None:
    """Return the function that posts through a client; None if it is not a known client.

    Clients are known by the names of their classes, so that no framework is imported here. One of
    httpx raises EgressRefused if it would send to where nothing may be sent.
    """
    send = next((_CLIENTS[name] for name in _ancestry(receiver) if name in _CLIENTS), None)
    if send is not _httpx:
        return send

    def post(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - as ``_httpx``
        url = _httpx_url(client, sent)
        check_client_egress(client, sent.method, url, allow=allow, own_port=own_port)
        return _httpx(client, sent)

    return post


def client_apost(
    receiver: object, allow: Collection[str] = (), own_port: int = 0
) -> Callable[[Any, Post], Awaitable[WebhookResponse]] | None:
    """Return the function that posts through an asynchronous client; None if it is not one."""
    if _ASYNC_CLIENTS.isdisjoint(_ancestry(receiver)):
        return None

    async def apost(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - as ``_httpx``
        url = _httpx_url(client, sent)
        check_client_egress(client, sent.method, url, allow=allow, own_port=own_port)
        return await _async_httpx(client, sent)

    return apost


def request_errors() -> tuple[type[Exception], ...]:
    """Return what httpx and httpx2 raise if there is no response, as far as they are loaded."""
    libraries = (sys.modules.get(name) for name in ("httpx", "httpx2"))
    return tuple(library.RequestError for library in libraries if library is not None)


def _ancestry(receiver: object) -> list[str]:
    """The classes of a receiver as ``top-level package.name``."""
    return [f"{cls.__module__.partition('.')[0]}.{cls.__name__}" for cls in type(receiver).__mro__]


def _httpx_options(sent: Post) -> dict[str, Any]:
    return {"content": sent.body, "headers": sent.raw_headers, "follow_redirects": False}


def _httpx_response(response: Any) -> WebhookResponse:  # noqa: ANN401 - of httpx or of httpx2
    return WebhookResponse(
        status_code=response.status_code,
        headers=fold_headers(response.headers.multi_items()),
        body=response.content,
    )


def _httpx_failed(error: Exception) -> WebhookResponse:
    """Raise the error if it means "no response"; otherwise the application behind it raised."""
    if isinstance(error, request_errors()):
        raise error
    return response_to_error(error)


def _httpx_url(client: Any, sent: Post) -> str:  # noqa: ANN401 - of httpx or of httpx2
    """The path, which the client puts after its base URL; or the whole URL with another host."""
    if not (sent.host or sent.scheme):
        return sent.app_path
    base = client.base_url
    host = sent.host or base.netloc.decode("ascii")
    return f"{sent.scheme or base.scheme}://{host}{base.path.rstrip('/')}{sent.app_path}"


def _httpx(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - of httpx or of httpx2
    url, options = _httpx_url(client, sent), _httpx_options(sent)
    try:
        response = client.request(sent.method, url, **options)
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return _httpx_failed(error)
    return _httpx_response(response)


async def _async_httpx(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - as above
    url, options = _httpx_url(client, sent), _httpx_options(sent)
    try:
        response = await client.request(sent.method, url, **options)
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return _httpx_failed(error)
    return _httpx_response(response)


def _werkzeug(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - an optional library's
    base = f"{sent.app_scheme}://{sent.host or 'localhost'}"
    try:
        response = client.open(
            sent.app_path,
            method=sent.method,
            data=sent.body,
            headers=list(sent.headers),
            buffered=True,
            **({"base_url": base} if sent.host or sent.scheme else {}),
        )
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return response_to_error(error)
    return WebhookResponse(
        status_code=response.status_code,
        headers=fold_headers(response.headers),
        body=response.get_data(),
    )


def _django(client: Any, sent: Post) -> WebhookResponse:  # noqa: ANN401 - an optional library's
    meta = environ_headers(sent)
    content_type = meta.pop("CONTENT_TYPE", "")
    if sent.host:
        meta["HTTP_HOST"] = sent.host
    secure = sent.scheme == "https"
    try:
        response = client.generic(
            sent.method, sent.app_path, sent.body, content_type, secure=secure, **meta
        )
        body = response.getvalue()
    except Exception as error:  # noqa: BLE001 - a server answers any exception with 500
        return response_to_error(error)
    return WebhookResponse(
        status_code=response.status_code, headers=fold_headers(response.items()), body=body
    )


_CLIENTS: dict[str, Callable[[Any, Post], WebhookResponse]] = {
    "httpx.Client": _httpx,
    "httpx2.Client": _httpx,
    "werkzeug.Client": _werkzeug,
    "django.Client": _django,
}
_ASYNC_CLIENTS = frozenset({"httpx.AsyncClient", "httpx2.AsyncClient"})
