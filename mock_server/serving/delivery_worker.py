"""Sends the webhooks of a server's sandboxes in real time, in threads."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

from mock_server.serving.server_facts import ServerFacts
from mock_server.store.errors import StoreError
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.control_token import without_control_token

if TYPE_CHECKING:
    from pytest_turris.core.outbox.endpoints import Endpoint
    from pytest_turris.webhooks.engine import Claimed, DeliveryResult, Engine

SERVE_ALLOWS = "start the server with --allow"
"""The words before the ``host:port`` of another machine that webhooks may be sent to."""

_PAUSE = 0.1
_SIGNATURE_REFUSED = (401, 403)
_OWN_KEY = (
    ". It is signed with this webhook's own secret, which the answer to its registration holds, "
    "not with TURRIS_WEBHOOK_SECRET; -o webhook_secret=... makes one secret for all"
)
MOST_THREADS = 64
MOST_OF_ONE = 16
"""How many receivers of one sandbox are sent to at a time: slow ones do not delay others."""

_TIMEOUT = 1.0
_LONGEST_ATTEMPT = 40.0
"""Seconds after which an attempt is over: Turris waits for 30."""


class Deliveries:
    """The webhooks of one sandbox: those being sent, and the engine that sends them.

    Args:
        sandbox: The sandbox.
        server: Returns what it must know about the server.
        is_shared: Whether other servers may have registered webhooks or enqueued deliveries.
    """

    def __init__(
        self, sandbox: Sandbox, server: Callable[[], ServerFacts], *, is_shared: bool = False
    ) -> None:
        self.sandbox: Sandbox = sandbox
        self.is_shared: bool = is_shared
        self.server: Callable[[], ServerFacts] = server
        self._search = threading.RLock()
        self._lock = threading.Condition()
        self._queues: dict[str, deque[Claimed]] = {}
        """What was claimed for each endpoint that a thread sends to now."""
        self._is_alone = False

    @cached_property
    def engine(self) -> "Engine":
        """The engine that sends; made, and imported, when there is something to send."""
        from pytest_turris.webhooks.engine import Engine  # noqa: PLC0415 - it takes long to load
        from pytest_turris.webhooks.factory import WebhookFactory  # noqa: PLC0415 - as above

        scheme = WebhookFactory.of(self.sandbox).scheme
        server = self.server()
        return Engine(self.sandbox, scheme, allow=server.allow, own_port=server.own_port)

    @contextlib.contextmanager
    def alone(self) -> Iterator["Engine"]:
        """A block with the engine, in which no other thread sends or looks for due deliveries.

        Raises:
            DeliveryError: A receiver keeps a delivery for longer than an attempt may take.
        """
        with self._search:
            with self._lock:
                self._wait_for(lambda: not self._queues)
                self._is_alone = True
            try:
                yield self.engine
            finally:
                with self._lock:
                    self._is_alone = False
                    self._lock.notify_all()

    @contextlib.contextmanager
    def only_to(self, endpoint_ids: Collection[str]) -> Iterator["Engine"]:
        """A block with the engine, in which no other thread sends to some endpoints.

        What becomes due for them in the block has been sent at its end; other receivers neither
        delay it nor wait for it.

        Raises:
            DeliveryError: A receiver keeps a delivery for longer than an attempt may take.
        """
        with self._lock:
            running = self._queues.keys()
            self._wait_for(lambda: not self._is_alone and running.isdisjoint(endpoint_ids))
            self._queues.update((one, deque()) for one in endpoint_ids)
        try:
            yield self.engine
        finally:
            with ThreadPoolExecutor(MOST_OF_ONE) as pool:
                releases = [pool.submit(self._release, one) for one in endpoint_ids]
            for release in releases:
                release.result()

    def _wait_for(self, is_free: Callable[[], bool]) -> None:
        if not self._lock.wait_for(is_free, _LONGEST_ATTEMPT):
            from pytest_turris.webhooks.engine import DeliveryError  # noqa: PLC0415 - as above

            raise DeliveryError("an earlier delivery is still under way")

    def _release(self, endpoint_id: str) -> None:
        """Send what is due for an endpoint, and what others have claimed for it."""
        try:
            while (taken := self._next(endpoint_id)) is not None:
                self.engine.send(taken)
        except BaseException:
            with self._lock:
                del self._queues[endpoint_id]
                self._lock.notify_all()
            raise

    def _next(self, endpoint_id: str) -> "Claimed | None":
        with self._lock:
            queue = self._queues[endpoint_id]
            if claimed := self.engine.claim(endpoint_id):
                queue.append(claimed)
            if queue:
                return queue.popleft()
            del self._queues[endpoint_id]
            self._lock.notify_all()
            return None

    def claim_all(self) -> Iterator[str]:
        """Claim what is due, and yield each endpoint that needs a thread, in order."""
        if not (self.is_shared or self.sandbox.sends_webhooks) or not self._search.acquire(
            blocking=False
        ):
            return
        try:
            while (taken := self._claim()) is not None:
                endpoint_id, is_running = taken
                if not is_running:
                    yield endpoint_id
        finally:
            self._search.release()

    def _claim(self) -> tuple[str, bool] | None:
        """Claim a delivery; its endpoint, and whether a thread sends to that now."""
        with (
            self._lock
        ):  # as a whole: who sends to an endpoint must not miss what is claimed for it
            taken = self.engine.claim()
            if taken is None:
                return None
            endpoint_id = taken.delivery.endpoint_id
            is_running = endpoint_id in self._queues
            self._queues.setdefault(endpoint_id, deque()).append(taken)
            return endpoint_id, is_running

    def first(self, endpoint_id: str) -> "Claimed":
        """The first claimed delivery of an endpoint."""
        return self._queues[endpoint_id][0]

    def settle_first(self, endpoint_id: str) -> bool:
        """Drop the first claimed delivery, which was sent; return whether another one follows."""
        with self._lock:
            queue = self._queues[endpoint_id]
            queue.popleft()
            if not queue:
                del self._queues[endpoint_id]
                self._lock.notify_all()
            return bool(queue)


class DeliveryWorker:
    """Looks for due deliveries ten times a second, and sends the ones of each endpoint in order.

    A slow receiver does not delay the others: each endpoint with due deliveries has a thread, up
    to a bound for each sandbox and one for all.

    Args:
        log: Gets a redacted line for each attempt, and for each error of the sandbox itself.
        watched: Returns the deliveries of all sandboxes.
    """

    def __init__(
        self, *, log: Callable[[str], None], watched: Callable[[], Collection[Deliveries]]
    ) -> None:
        self._watched = watched
        self._log = log
        self._last_error = ""
        self._stopping = threading.Event()
        self._waiting: list[tuple[Deliveries, str]] = []
        self._running: Counter[Deliveries] = Counter()
        self._lock = threading.Lock()
        self._thread = self._start_thread(self._run)

    def begin_stop(self) -> None:
        """Begin no further delivery."""
        self._stopping.set()

    def stop(self) -> None:
        """Send nothing more; wait up to a second for the search that is running."""
        self.begin_stop()
        self._thread.join(_TIMEOUT)

    def _start_thread(self, work: Callable[..., None], *args: object) -> threading.Thread:
        # A daemon: a receiver may take 30 seconds, and the process must not wait for it at its end.
        thread = threading.Thread(target=work, args=args, name="turris-delivery", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            for deliveries in self._found():
                try:
                    for endpoint_id in deliveries.claim_all():
                        self._waiting.append((deliveries, endpoint_id))
                except StoreError as error:
                    self._log_error(f"cannot look for due webhooks: {error}", is_bug=False)
                except Exception as error:  # noqa: BLE001 - any error is logged, and the loop goes on
                    self._log_error(f"cannot look for due webhooks: {error!r}")
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Start a thread for each endpoint that waits for one, as far as the bounds allow."""
        still = []
        for deliveries, endpoint_id in self._waiting:
            with self._lock:
                of_one, of_all = self._running[deliveries], self._running.total()
                is_free = of_one < MOST_OF_ONE and of_all < MOST_THREADS
                self._running[deliveries] += is_free
            if is_free:
                self._start_thread(self._deliver, deliveries, endpoint_id)
            else:
                still.append((deliveries, endpoint_id))
        self._waiting = still

    def _found(self) -> Collection[Deliveries]:
        """Return the deliveries to look at; none while a shared store does not answer."""
        try:
            return self._watched()
        except StoreError as error:
            self._log_error(f"cannot look for due webhooks: {error}", is_bug=False)
        except Exception as error:  # noqa: BLE001 - as in _run
            self._log_error(f"cannot look for due webhooks: {error!r}")
        return ()

    def _deliver(self, deliveries: Deliveries, endpoint_id: str) -> None:
        try:
            self._deliver_all(deliveries, endpoint_id)
        finally:
            with self._lock:
                self._running[deliveries] -= 1
                if not self._running[deliveries]:
                    del self._running[deliveries]  # its sandbox may be deleted

    def _deliver_all(self, deliveries: Deliveries, endpoint_id: str) -> None:
        while not self._stopping.is_set():
            taken = deliveries.first(endpoint_id)
            try:
                self._log(_described(deliveries.engine.send(taken), deliveries.sandbox))
            except StoreError as error:
                message = f"cannot record webhook {taken.delivery.number}: {error}"
                self._log_error(message, is_bug=False)
            except Exception as error:  # noqa: BLE001 - any error is logged, and the next is sent
                self._log_error(f"cannot send webhook {taken.delivery.number}: {error!r}")
            if not deliveries.settle_first(endpoint_id):
                return

    def _log_error(self, message: str, *, is_bug: bool = True) -> None:
        """Log an error once, not ten times a second."""
        message = without_control_token(message)
        if message != self._last_error:
            self._last_error = message
            self._log(f"{message} (a bug in the sandbox; please report it)" if is_bug else message)


def _described(result: "DeliveryResult", sandbox: Sandbox) -> str:
    """The result in one line, with what to do about it."""
    status = result.attempt.status if result.attempt else None
    return advised(str(result), status, result.endpoint, sandbox)


def advised(text: str, status: int | None, endpoint: "Endpoint | None", sandbox: Sandbox) -> str:
    """What an attempt says, with what to do at a server: about another machine, or the key."""
    from pytest_turris.receivers.egress import for_command  # noqa: PLC0415 - with the first attempt

    own_key = endpoint is not None and endpoint.secret != sandbox.webhook_secret
    hint = _OWN_KEY if status in _SIGNATURE_REFUSED and own_key else ""
    return f"{for_command(text, SERVE_ALLOWS)}{hint}"
