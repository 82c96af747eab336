"""Sends the webhooks of a standalone sandbox as real time passes, from threads of its own."""

import threading
from collections import deque
from collections.abc import Callable, Collection

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.engine import Engine, Taken
from pytest_turris.webhooks.factory import WebhookFactory

_PAUSE = 0.1
_PATIENCE = 1.0


class Postman:
    """Looks ten times a second for what is due; each webhook gets one delivery after the other.

    A receiver that takes its time keeps no other waiting.

    Args:
        sandbox: Whose webhooks they are.
        log: Gets a redacted line for each attempt, and for each error of the sandbox' own.
        allow: The ``host:port`` that webhooks may lead to beside this machine.
        own_port: The sandbox' own port, which nothing is sent to.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        log: Callable[[str], None],
        allow: Collection[str],
        own_port: int,
    ) -> None:
        scheme = WebhookFactory.of(sandbox).scheme
        self._engine = Engine(sandbox, scheme, allow=allow, own_port=own_port)
        self._log = log
        self._complaint = ""
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._bags: dict[str, deque[Taken]] = {}
        self._thread = self._started(self._look)

    def stop(self) -> None:
        """Send nothing more; what is being looked for gets a second."""
        self._stopping.set()
        self._thread.join(_PATIENCE)

    def _started(self, work: Callable[..., None], *args: object) -> threading.Thread:
        # A receiver may keep it for 30 seconds: the process does not wait for that at its end.
        thread = threading.Thread(target=work, args=args, name="turris-postman", daemon=True)
        thread.start()
        return thread

    def _look(self) -> None:
        while not self._stopping.wait(_PAUSE):
            try:
                while not self._stopping.is_set() and (taken := self._engine.take()) is not None:
                    self._hand_over(taken)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the next is looked for
                self._complain(f"webhooks cannot be looked for: {error!r}")

    def _hand_over(self, taken: Taken) -> None:
        """Put it into its webhook's bag; an empty one needs somebody to carry it."""
        webhook = taken.delivery.endpoint_id
        with self._lock:
            carried = webhook in self._bags
            self._bags.setdefault(webhook, deque()).append(taken)
        if not carried:
            self._started(self._carry, webhook)

    def _carry(self, webhook: str) -> None:
        bag = self._bags[webhook]
        while not self._stopping.is_set():
            taken = bag[0]
            try:
                self._log(str(self._engine.send(taken)))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told, and the next is sent
                self._complain(f"webhook {taken.delivery.number} cannot be sent: {error!r}")
            with self._lock:
                bag.popleft()
                if not bag:
                    del self._bags[webhook]
                    return

    def _complain(self, words: str) -> None:
        """Say it once, not ten times a second."""
        if words != self._complaint:
            self._complaint = words
            self._log(f"{words} (an error of the sandbox; please report it)")
