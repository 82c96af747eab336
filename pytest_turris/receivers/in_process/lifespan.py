"""Starts an ASGI application once on each event loop, and shuts it down at the end of the test.

The lifespan protocol of the ASGI specification. As with servers, an application that raises on its
scope does not support it, and is used without.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.socket_post import TURRIS_TIMEOUT

AsgiMessage = MutableMapping[str, Any]
AsgiApp = Callable[
    [AsgiMessage, Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]],
    Awaitable[None],
]
ASGI_VERSION = {"version": "3.0", "spec_version": "2.4"}

_SHUTDOWN_SECONDS = 5.0
_NEARLY = 0.9

_by_loop: WeakKeyDictionary[Any, list["Lifespan"]] = WeakKeyDictionary()


class StartupError(TurrisKitError, RuntimeError):
    """The start-up of an ASGI application failed, so nothing was sent to it."""


async def started(app: AsgiApp) -> "Lifespan":
    """Return the lifespan of an application on the running loop; the first call starts it.

    Raises:
        StartupError: The application said that its start-up failed.
    """
    lifespans = _by_loop.setdefault(_this_loop(), [])
    found = next((one for one in lifespans if one.app is app), None)
    if found is None:
        found = Lifespan(app)
        lifespans.append(found)
        found.begin()
    await found.wait()
    return found


def shut_down() -> None:
    """Shut down the started applications on all idle asyncio loops.

    Those on other loops shut down when their loop ends.
    """
    for loop in list(_by_loop):
        idle = isinstance(loop, asyncio.AbstractEventLoop) and not (
            loop.is_running() or loop.is_closed()
        )
        for lifespan in reversed(_by_loop.pop(loop) if idle else []):
            loop.run_until_complete(lifespan.end())


class Lifespan:
    """One application on one loop, from its start-up to its shutdown.

    Args:
        app: The application.
    """

    def __init__(self, app: AsgiApp) -> None:
        import anyio  # noqa: PLC0415 - httpx brings it; only in-process receivers need it

        self.app = app
        self.state: dict[str, Any] = {}
        self._failure = ""
        self._asked = False
        self._started = anyio.Event()
        self._ending = anyio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the application in a task of its own."""
        if isinstance(loop := _this_loop(), asyncio.AbstractEventLoop):
            self._task = loop.create_task(self._run())
        else:
            import trio  # noqa: PLC0415 - anyio runs on asyncio or on trio

            trio.lowlevel.spawn_system_task(self._run_shielded)
            trio.lowlevel.spawn_system_task(self._watch)

    async def wait(self) -> None:
        """Return when the application is started, or does not support the protocol.

        Raises:
            StartupError: It said that its start-up failed.
        """
        begin = steady_time()
        try:
            await self._started.wait()
        finally:
            if steady_time() - begin > _NEARLY * TURRIS_TIMEOUT:  # the request was given up
                self._failure = f"it did not end in {TURRIS_TIMEOUT:.0f} s"
                self._started.set()
        if self._failure:
            raise StartupError(f"the start-up of the application failed: {self._failure}")

    async def end(self) -> None:
        """Let an application on asyncio shut down, for five seconds at most."""
        self._ending.set()
        if self._task is not None:  # pragma: no branch - only asyncio's lifespans are ended so
            await asyncio.wait([self._task], timeout=_SHUTDOWN_SECONDS)
            self._task.cancel()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": ASGI_VERSION, "state": self.state}
        try:
            await self.app(scope, self._receive, self._send)
        except Exception:  # noqa: BLE001, S110 - any exception says that it does not know the scope
            pass
        finally:
            self._started.set()

    async def _receive(self) -> AsgiMessage:
        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        try:
            await self._ending.wait()
        except asyncio.CancelledError:
            # A loop that closes cancels its tasks and waits for them, so there is time to shut
            # down.
            if self._ending.is_set() or self._task is None:
                raise  # pragma: no cover - cancelled again, while it shuts down
            self._ending.set()
            self._task.uncancel()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: AsgiMessage) -> None:
        if not message["type"].startswith("lifespan."):
            raise RuntimeError(f"{message['type']} was sent in answer to a lifespan")
        if message["type"] == "lifespan.startup.failed":
            lines = str(message.get("message", "")).strip().splitlines()
            self._failure = lines[-1] if lines else "it gave no reason"
        self._started.set()

    async def _run_shielded(self) -> None:
        """Run shielded from the cancellation when trio's loop ends; ``_watch`` reports that."""
        import trio  # noqa: PLC0415 - as above

        with trio.CancelScope(shield=True):
            await self._run()

    async def _watch(self) -> None:
        import trio  # noqa: PLC0415 - as above

        try:
            await trio.sleep_forever()
        finally:
            self._ending.set()


def _this_loop() -> Any:  # noqa: ANN401 - asyncio's loop or trio's token
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 - as above

        return trio.lowlevel.current_trio_token()
