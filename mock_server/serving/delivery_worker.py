"""Sends the webhooks of a standalone sandbox in real time, in threads."""

import threading
from collections import deque
from collections.abc import Callable, Collection
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_turris.core.sandbox import Sandbox

if TYPE_CHECKING:
    from pytest_turris.webhooks.engine import Claimed, DeliveryResult, Engine

_PAUSE = 0.1
_SIGNATURE_REFUSED = (401, 403)
_OWN_KEY = (
    ". It is signed with this webhook's own secret, which the answer to its registration holds, "
    "not with TURRIS_WEBHOOK_SECRET; -o webhook_secret=... makes one secret for all"
)
_TIMEOUT = 1.0


class DeliveryWorker:
    """Looks for due deliveries ten times a second, and sends the ones of each endpoint in order.

    A slow receiver does not delay the others: each endpoint with due deliveries has a thread.

    Args:
        sandbox: The sandbox whose webhooks are sent.
        log: Gets a redacted line for each attempt, and for each error of the sandbox itself.
        allow: The ``host:port`` pairs on other machines that webhooks may be sent to.
        own_port: The sandbox's own port, to which nothing is sent.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        log: Callable[[str], None],
        allow: Collection[str],
        own_port: int,
    ) -> None:
        self._sandbox = sandbox
        self._allow = allow
        self._own_port = own_port
        self._log = log
        self._last_error = ""
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Claimed]] = {}
        self._thread = self._start_thread(self._run)

    def begin_stop(self) -> None:
        """Begin no further delivery."""
        self._stopping.set()

    def stop(self) -> None:
        """Send nothing more; wait up to a second for the search that is running."""
        self.begin_stop()
        self._thread.join(_TIMEOUT)

    @cached_property
    def _engine(self) -> "Engine":
        """Made, and imported, when the first webhook is registered."""
        from pytest_turris.webhooks.engine import Engine  # noqa: PLC0415 - see above
        from pytest_turris.webhooks.factory import WebhookFactory  # noqa: PLC0415 - as above

        scheme = WebhookFactory.of(self._sandbox).scheme
        return Engine(self._sandbox, scheme, allow=self._allow, own_port=self._own_port)

    def _start_thread(self, work: Callable[..., None], *args: object) -> threading.Thread:
        # A daemon: a receiver may take 30 seconds, and the process does not wait for it at its end.
        thread = threading.Thread(target=work, args=args, name="turris-delivery", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            try:
                if not len(self._sandbox.outbox):
                    continue  # what sends webhooks takes long to load
                while not self._stopping.is_set() and (taken := self._engine.claim()) is not None:
                    self._enqueue(taken)
            except Exception as error:  # noqa: BLE001 - any error is logged, and the loop goes on
                self._log_error(f"cannot look for due webhooks: {error!r}")

    def _enqueue(self, taken: "Claimed") -> None:
        """Queue it for its endpoint; start a thread if none runs."""
        endpoint_id = taken.delivery.endpoint_id
        with self._lock:
            is_running = endpoint_id in self._queues
            self._queues.setdefault(endpoint_id, deque()).append(taken)
        if not is_running:
            self._start_thread(self._deliver, endpoint_id)

    def _deliver(self, endpoint_id: str) -> None:
        queue = self._queues[endpoint_id]
        while not self._stopping.is_set():
            taken = queue[0]
            try:
                self._log(self._described(self._engine.send(taken)))
            except Exception as error:  # noqa: BLE001 - any error is logged, and the next is sent
                self._log_error(f"cannot send webhook {taken.delivery.number}: {error!r}")
            with self._lock:
                queue.popleft()
                if not queue:
                    del self._queues[endpoint_id]
                    return

    def _described(self, result: "DeliveryResult") -> str:
        """The result in one line; a 401 says which key it was signed with."""
        attempt, endpoint = result.attempt, result.endpoint
        own_key = endpoint is not None and endpoint.secret != self._sandbox.webhook_secret
        if attempt is not None and attempt.status in _SIGNATURE_REFUSED and own_key:
            return f"{result}{_OWN_KEY}"
        return str(result)

    def _log_error(self, message: str) -> None:
        """Log an error once, not ten times a second."""
        if message != self._last_error:
            self._last_error = message
            self._log(f"{message} (a bug in the sandbox; please report it)")
