"""Requests to sandboxes that several servers have: those of one tenant are answered together.

A server holds a tenant for two round trips to the database. What arrives meanwhile is answered the
next time it holds the tenant: all of it in one transaction, and each request as a step of its own.
So a tenant takes up one thread, whatever is sent to it, and the others do not wait for it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from mock_server.control.tenant import Tenant
from mock_server.control.tenants import Tenants
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.wire.messages import Request, Response
from pytest_turris.process.steady_clock import steady_time

AnswerOutcome = Response | Exception
"""An answer, or the exception in place of it, such as a scripted fault of the network."""

MOST_TOGETHER = 32
"""How many requests are answered together."""

LONGEST_BATCH = 0.05
"""After this many seconds of work, a batch takes no more requests."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    request: Request
    answer: "asyncio.Future[Response]"


class AnswerBatch:
    """The requests of one tenant that are answered now. Iterate over them while holding it."""

    def __init__(self, queue: deque[_Waiting]) -> None:
        self._queue = queue
        self.taken: list[_Waiting] = []

    def __iter__(self) -> Iterator[Request]:
        end = steady_time() + LONGEST_BATCH
        while (
            self._queue
            and len(self.taken) < MOST_TOGETHER
            and (not self.taken or steady_time() < end)
        ):
            self.taken.append(self._queue.popleft())
            yield self.taken[-1].request

    @property
    def requests(self) -> list[Request]:
        """Those that were taken."""
        return [one.request for one in self.taken]

    def take_all(self) -> list[Request]:
        """Take those that wait, too."""
        while self._queue:
            self.taken.append(self._queue.popleft())
        return self.requests


class SharedAnswers:
    """Answers requests in threads, those of one tenant in the order in which they came.

    Args:
        tenants: The tenants of this server.
        alone: Answers a request by itself, for a tenant that has to be looked for.
        failed: The answer where the store cannot be used.
        log: Gets the line of each exchange.
    """

    def __init__(
        self,
        tenants: Tenants,
        *,
        alone: Callable[[Request], Response],
        failed: Callable[[StoreError], Response],
        log: Callable[[str, Tenant], object],
    ) -> None:
        self._tenants = tenants
        self._alone = alone
        self._failed = failed
        self._log = log
        self._lock = threading.Lock()
        self._queues: dict[Tenant, deque[_Waiting]] = {}
        """The batches of the tenants that a thread serves or will serve."""

    def ask(
        self, tenant: Tenant, request: Request, threads: Executor
    ) -> "asyncio.Future[Response]":
        """The answer of a tenant, on the running loop."""
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        with self._lock:
            queue = self._queues.get(tenant)
            if queue is not None:
                queue.append(waiting)
                return waiting.answer
            self._queues[tenant] = deque([waiting])
        threads.submit(self._serve, tenant, threads)
        return waiting.answer

    def _serve(self, tenant: Tenant, threads: Executor) -> None:
        """Answer a batch. If there is more, wait behind the other tenants."""
        batch = AnswerBatch(self._queues[tenant])
        outcomes = self.answers(tenant, batch)
        loop = batch.taken[0].answer.get_loop()
        loop.call_soon_threadsafe(_settle, batch.taken, outcomes)
        with self._lock:
            if not self._queues[tenant]:
                del self._queues[tenant]
                return
        threads.submit(self._serve, tenant, threads)

    def answers(self, tenant: Tenant, batch: AnswerBatch) -> list[AnswerOutcome]:
        """Answer the requests of a tenant as one commit, each as a step of its own."""
        outcomes: list[AnswerOutcome] = []
        lines = []
        try:
            with tenant.sandbox.lock:
                for request in batch:
                    outcomes.append(_outcome(partial(tenant.handle, request)))
                    lines.append(tenant.last_line)
                    tenant.end_step()
        except TenantGoneError:
            self._tenants.forget(tenant.name)
            return [_outcome(partial(self._alone, one)) for one in batch.take_all()]
        except StoreError as error:
            # If none was begun, the others would wait as long for the same.
            requests = batch.requests if outcomes else batch.take_all()
            return [self._failed(error)] * len(requests)
        except Exception as error:  # noqa: BLE001 - a bug: none waits for an answer forever
            return [error] * len(batch.requests or batch.take_all())
        finally:
            for line in lines:
                self._log(line, tenant)
        return outcomes


def _outcome(work: Callable[[], Response]) -> AnswerOutcome:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
        return error


def _settle(taken: list[_Waiting], outcomes: list[AnswerOutcome]) -> None:
    for one, outcome in zip(taken, outcomes, strict=True):
        if one.answer.done():
            continue  # its client has gone
        if isinstance(outcome, Exception):
            one.answer.set_exception(outcome)
        else:
            one.answer.set_result(outcome)
