"""The documented receivers withstand the full profile, in process and on sockets."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import ENTITY, KEY, Backend, Inbox, ReceiverApp

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.doors.sockets.server import LiveServer
from pytest_turris.findings.verdict import Verdict

FINE = {"passed", "skipped", "not observed"}
NOTED = {"WH-49", "WH-99"}


def inbox_for(backend: Backend, keys: Any = (KEY,)) -> Inbox:
    """An inbox over a desk."""
    return Inbox(keys, ENTITY, backend.act)


def full_profile(
    target: object, backend: Backend, create: Callable[[Inbox], Any] | None
) -> list[Verdict]:
    """Every attack on a receiver."""

    def with_keys(keys: Any) -> Any:
        assert create is not None
        return create(inbox_for(backend, keys))

    lacking: dict[str, Any] = {
        "state": None,
        "api_status": None,
        "failing_work": None,
        "allowed_ip": "",
    }
    context = context_for(backend, ReceiverApp, **lacking, with_keys=with_keys if create else None)
    path = "" if isinstance(target, str) else "/webhooks"
    receiver = Receiver(target, path, effects=backend.effects)
    return [run_attack(attack, receiver, context) for attack in ATTACKS]


def check(verdicts: list[Verdict]) -> None:
    """Nothing but the notes."""
    found = {v.check.id: str(v) for v in verdicts if v.outcome not in FINE}
    assert set(found) == NOTED, "\n".join(found.values())
    assert sum(v.outcome == "passed" for v in verdicts) > 70


def creator(name: str) -> Callable[[Inbox], Any]:
    """The documented receiver of a framework."""
    create: Callable[[Inbox], Any] = import_module(f"{name}_receiver").create_app
    return create


@pytest.fixture(autouse=True)
def django_settings() -> Iterator[None]:
    """Django's settings are the process's: another test may have made them first."""
    import django
    from django.conf import settings
    from django.test import override_settings

    if not settings.configured:
        settings.configure()
        django.setup()
    with override_settings(ALLOWED_HOSTS=["*"], ROOT_URLCONF=(), MIDDLEWARE=[]):
        yield


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU that this thread spends on something."""
    begin = time.thread_time()
    work()
    return time.thread_time() - begin


def count_to_ten_million() -> None:
    """A fifth of a second on an idle machine; on a busy one both take longer."""
    for _ in range(10_000_000):
        pass


@pytest.mark.parametrize("name", ["fastapi", "flask", "django"])
def test_receiver_in_process(name: str) -> None:
    """The receiver withstands the full profile in process, which takes little work."""
    backend, create = Backend(), creator(name)
    app = create(inbox_for(backend))
    spent = cpu(lambda: check(full_profile(app, backend, create)))
    assert spent < 20 * cpu(count_to_ten_million)


def test_fastapi_on_a_socket() -> None:
    """The FastAPI receiver withstands the full profile behind uvicorn."""
    backend, create = Backend(), creator("fastapi")
    server = LiveServer(create(inbox_for(backend)))
    try:
        check(full_profile(f"{server.base_url}/webhooks", backend, create))
    finally:
        server.stop()


@contextlib.contextmanager
def aiohttp_server(app: Any) -> Iterator[str]:
    """An aiohttp application on a socket."""
    from aiohttp import web

    loop = asyncio.new_event_loop()

    runner = web.AppRunner(app, access_log=None)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    async def stop() -> None:
        await runner.cleanup()
        # It listens on, for ten seconds, to what is left of bodies that it refused.
        lingering = asyncio.all_tasks() - {asyncio.current_task()}
        for task in lingering:
            task.cancel()
        await asyncio.gather(*lingering, return_exceptions=True)

    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/webhooks"
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_aiohttp_on_a_socket() -> None:
    """The aiohttp receiver withstands the full profile."""
    backend, create = Backend(), creator("aiohttp")
    app = create(inbox_for(backend))

    with aiohttp_server(app) as url:
        check(full_profile(url, backend, None))


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def test_wsgiref_lets_the_underscore_through() -> None:
    """A good receiver behind a server that aliases underscores is found (CVE-2015-0219)."""
    backend, create = Backend(), creator("flask")
    server = make_server("127.0.0.1", 0, create(inbox_for(backend)), handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/webhooks"
        context = context_for(backend, ReceiverApp)
        attack = next(attack for attack in ATTACKS if attack.id == "WH-30")
        verdict = run_attack(attack, Receiver(url, effects=backend.effects), context)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert verdict.outcome == "noted"
