"""Sends the webhooks of a standalone sandbox as real time passes, from a thread of its own."""

import threading
from collections.abc import Callable, Collection

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.engine import Engine
from pytest_turris.webhooks.factory import WebhookFactory

_PAUSE = 0.1
_PATIENCE = 1.0


class Postman:
    """Looks ten times a second for what is due, and sends one delivery after the other.

    Args:
        sandbox: Whose webhooks they are.
        log: Gets a redacted line for each attempt.
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
        factory = WebhookFactory.of(sandbox)
        self._engine = Engine(sandbox, factory, allow=allow, own_port=own_port)
        self._log = log
        self._stopping = threading.Event()
        # A receiver may keep it for 30 seconds: the process does not wait for that at its end.
        self._thread = threading.Thread(target=self._run, name="turris-postman", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; what is being sent gets a second."""
        self._stopping.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            while not self._stopping.is_set() and (step := self._engine.send_next()) is not None:
                self._log(str(step))
