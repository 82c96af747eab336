"""Apps under test in process: their endpoints call Turris, and the doors answer."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import django
import httpx
import httpx2
import pytest
import requests
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from doubles.doors.clients import NO_VERIFY
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors

PATH = "/.well-known/jwks.json"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with all doors open."""
    sandbox = Sandbox()
    with open_doors(sandbox):
        yield sandbox


def with_httpx(url: str) -> int:
    """The work of an endpoint: count the keys that Turris publishes."""
    return len(httpx.get(url, verify=NO_VERIFY).json()["keys"])


def with_httpx2(url: str) -> int:
    """The same through httpx2."""
    return len(httpx2.get(url, verify=NO_VERIFY).json()["keys"])


def with_requests(url: str) -> int:
    """The same through requests."""
    return len(requests.get(url, timeout=5).json()["keys"])


async def awaiting(client: Callable[..., Any], url: str) -> int:
    """The same in an async endpoint."""
    async with client(verify=NO_VERIFY) as opened:
        return len((await opened.get(url)).json()["keys"])


Count = Callable[[str], int]
SYNC = [with_httpx, with_httpx2, with_requests]
ASYNC = [httpx.AsyncClient, httpx2.AsyncClient]


@pytest.mark.parametrize("count", SYNC)
def test_fastapi_sync_endpoint(sandbox: Sandbox, count: Count) -> None:
    """A sync endpoint runs in a pool of threads; several at once are answered too."""
    app = FastAPI()
    app.get("/keys")(lambda: count(sandbox.base_url + PATH))
    with TestClient(app) as client, ThreadPoolExecutor(4) as pool:
        answers = [answer.json() for answer in pool.map(client.get, ["/keys"] * 8)]
    assert answers == [1] * 8
    assert len(sandbox.journal) == 8


@pytest.mark.parametrize("client", ASYNC)
def test_fastapi_async_endpoint(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    """An async endpoint runs in the test client's event loop, in another thread."""
    app = FastAPI()

    @app.get("/keys")
    async def keys() -> int:
        return await awaiting(client, sandbox.base_url + PATH)

    with TestClient(app) as outside:
        assert outside.get("/keys").json() == 1
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize("count", SYNC)
def test_flask_view(sandbox: Sandbox, count: Count) -> None:
    """A Flask view runs in the test's own thread."""
    app = Flask(__name__)
    app.get("/keys")(lambda: str(count(sandbox.base_url + PATH)))
    assert app.test_client().get("/keys").text == "1"
    assert len(sandbox.journal) == 1


@pytest.fixture
def urls() -> Iterator[list[Any]]:
    """The routes of a Django project, empty."""
    if not settings.configured:
        settings.configure(SECRET_KEY="of a test", LOGGING_CONFIG=None)
        django.setup()
    project = ModuleType("project")
    routes: list[Any] = []
    vars(project)["urlpatterns"] = routes
    with override_settings(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=project):
        yield routes


@pytest.mark.parametrize("count", SYNC)
def test_django_view(sandbox: Sandbox, urls: list[Any], count: Count) -> None:
    """A Django view runs under Django's test client."""

    def keys(request: HttpRequest) -> JsonResponse:
        return JsonResponse(count(sandbox.base_url + PATH), safe=False)

    urls.append(path("keys", keys))
    assert Client().get("/keys").json() == 1
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize("client", ASYNC)
def test_django_async_view(sandbox: Sandbox, urls: list[Any], client: Callable[..., Any]) -> None:
    """An async Django view behind the sync client runs in its own event loop."""

    async def keys(request: HttpRequest) -> JsonResponse:
        return JsonResponse(await awaiting(client, sandbox.base_url + PATH), safe=False)

    urls.append(path("keys", keys))
    assert Client().get("/keys").json() == 1
    assert len(sandbox.journal) == 1


def test_django_sync_view_behind_the_async_client(sandbox: Sandbox, urls: list[Any]) -> None:
    """A sync view behind the async client runs in another thread."""

    def keys(request: HttpRequest) -> JsonResponse:
        return JsonResponse(with_httpx(sandbox.base_url + PATH), safe=False)

    async def ask() -> Any:  # noqa: ANN401 - JSON
        return (await AsyncClient().get("/keys")).json()

    urls.append(path("keys", keys))
    assert asyncio.run(ask()) == 1
