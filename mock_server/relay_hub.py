"""The test processes that are connected to this server, and the requests forwarded to them.

The sandbox of a test lives in the test process, where its fixtures hold it. This server only knows
the fingerprints of the sandbox's credentials.
"""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable

from pytest_turris.core.faults.hostile.raw import RawPart
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response, encode
from pytest_turris.doors.sockets.raw_response import StreamedAnswer
from pytest_turris.relay.protocol import (
    RelayMessage,
    decode_answer,
    decode_part,
    encode_request,
    fingerprint,
)

_PAUSE = 0.5
_TIMEOUT = 1.0
"""Seconds to wait for a reply that a test process can give at once."""

_ANSWER_SECONDS = 60.0
_READ_SECONDS = 10.0

Address = tuple[str, int]


class RelayedTenant:
    """The sandbox of one test, in a test process."""

    def __init__(self, process: "TestProcess", name: str) -> None:
        self.process: TestProcess = process
        self.name: str = name
        self.fingerprints: set[str] = set()


class TestProcess:
    """A connected test process. Only the server's event loop uses it."""

    def __init__(self, *, is_alone: bool) -> None:
        self.id: str = os.urandom(16).hex()
        self.is_alone: bool = is_alone
        """Whether no other process runs tests of the same suite."""
        self.tenants: dict[str, RelayedTenant] = {}
        self.is_closed: bool = False
        self.is_reading: bool = False
        """Whether the process reads its lines; until then it can answer nothing."""
        self.is_silent: bool = False
        """Whether a reply is overdue, for example because the process is suspended."""
        self._outgoing: asyncio.Queue[RelayMessage] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._pending: dict[int, PendingCall] = {}

    async def forward(self, request: Request) -> Response:
        """Let a sandbox of the process answer a request.

        Raises:
            ConnectionFailure: A scripted one, or the process disconnected, or did not answer.
        """
        call = self._begin_call()
        overdue = asyncio.get_running_loop().call_later(_TIMEOUT, self._notice_silence)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await call.send("exchange", request=encode_request(request))
        except TimeoutError:
            call.end()
            words = f"the test process did not answer within {_ANSWER_SECONDS:g} seconds"
            raise ConnectionFailure("reset", words) from None
        finally:
            overdue.cancel()
        if "raw" in answer:
            raise _ForwardedRawAnswer(call, answer["raw"])
        call.end()
        if "failure" in answer:
            raise ConnectionFailure(answer["failure"])
        return decode_answer(answer)

    async def owns(self, client: Address) -> bool:
        """Ask whether the client's end of a connection is a socket of the process.

        A process that does not reply within a second is not asked again until it does, so that a
        suspended one does not delay the requests of others.
        """
        if self.is_silent or not self.is_reading:
            return False
        call = self._begin_call()
        try:
            async with asyncio.timeout(_TIMEOUT):
                answer = await call.send("owns_socket", host=client[0], port=client[1])
        except ConnectionFailure:
            return False
        except TimeoutError:
            self._notice_silence()
            return False
        finally:
            call.end()
        return bool(answer["mine"])

    def receive(self, number: int, message: RelayMessage) -> None:
        """Pass a reply of the process to the call that waits for it, if it still does."""
        self.is_silent = False
        if call := self._pending.get(number):
            call.replies.put_nowait(message)

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what the process is to answer, one JSON line each, until one side disconnects."""
        self.is_reading = True
        while not self.is_closed:
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(self._outgoing.get(), _PAUSE)
                yield encode(line) + b"\n"

    def close(self) -> None:
        """End all calls that wait for a reply."""
        self.is_closed = True
        self.tenants.clear()
        for call in self._pending.values():
            call.replies.put_nowait(None)

    def _notice_silence(self) -> None:
        self.is_silent = True

    def _begin_call(self) -> "PendingCall":
        number = next(self._numbers)
        call = PendingCall(number, self._outgoing, end=lambda: self._pending.pop(number, None))
        self._pending[number] = call
        if self.is_closed:  # it disconnected while the server looked for the right process
            call.replies.put_nowait(None)
        return call


class PendingCall:
    """A call to a test process, of one or more messages with a reply each."""

    def __init__(
        self, number: int, outgoing: asyncio.Queue[RelayMessage], *, end: Callable[[], object]
    ) -> None:
        self._number = number
        self._outgoing = outgoing
        self.end: Callable[[], object] = end
        """Forget the call."""
        self.replies: asyncio.Queue[RelayMessage | None] = asyncio.Queue()
        """In order; None once the process has disconnected."""

    async def send(self, what: str, **more: object) -> RelayMessage:
        """Send a message to the process and wait for its reply.

        Raises:
            ConnectionFailure: The process disconnected.
        """
        self._outgoing.put_nowait({"what": what, "number": self._number} | more)
        message = await self.replies.get()
        if message is None:
            self.end()
            raise ConnectionFailure("reset", "the test process disconnected")
        return message


class _ForwardedRawAnswer(StreamedAnswer):
    """A raw answer that the test process produces, part by part."""

    def __init__(self, call: PendingCall, max_seconds: float) -> None:
        super().__init__(max_seconds)
        self._call = call

    async def stream(self) -> AsyncIterator[RawPart]:
        """Yield the answer part by part."""
        with contextlib.suppress(ConnectionFailure):
            while not (message := await self._call.send("next_part")).get("stopped"):
                part = decode_part(message)
                if part is None:
                    return
                yield part
        self.stopped = True

    async def finished(self) -> None:
        """Report how the answer ended, and wait a moment for the process to confirm."""
        # The process may be gone; the client still gets the end of the answer.
        with contextlib.suppress(ConnectionFailure, TimeoutError):
            async with asyncio.timeout(_TIMEOUT):
                await self._call.send("finished", exhausted=self.exhausted)
        self._call.end()


class RelayHub:
    """All connected test processes."""

    def __init__(self) -> None:
        self._processes: dict[str, TestProcess] = {}

    def open(self, *, is_alone: bool) -> TestProcess:
        """Connect a process; if it does not begin to read its lines, it is soon forgotten."""
        process = TestProcess(is_alone=is_alone)
        self._processes[process.id] = process
        loop = asyncio.get_running_loop()
        loop.call_later(_READ_SECONDS, self._forget_unless_reading, process)
        return process

    def _forget_unless_reading(self, process: TestProcess) -> None:
        if not process.is_reading:
            self.close(process)

    def close(self, process: TestProcess) -> None:
        """Disconnect a process, and forget its sandboxes."""
        process.close()
        self._processes.pop(process.id, None)

    def get(self, process_id: str) -> TestProcess | None:
        """Return the process with an id."""
        return self._processes.get(process_id)

    @property
    def is_in_use(self) -> bool:
        """Whether there may be a sandbox of a test."""
        return bool(self._processes)

    @property
    def tenants(self) -> list[RelayedTenant]:
        """The sandboxes of all running tests, the newest last."""
        return [
            tenant for process in self._processes.values() for tenant in process.tenants.values()
        ]

    def stop(self) -> None:
        """Disconnect all processes soon. Any thread may call this."""
        for process in tuple(self._processes.values()):
            process.is_closed = True

    def by_credential(self, request: Request) -> RelayedTenant | None:
        """Return the sandbox that issued the request's credential."""
        named = {fingerprint(credential) for credential in credentials_in(request)}
        return next((one for one in self.tenants if named & one.fingerprints), None)

    async def by_socket(self, request: Request) -> RelayedTenant | None:
        """Return the sandbox of the test that sent a request without a known credential.

        It is the newest one of the process that owns the client's socket. If only one process is
        connected, that one may have a child that sent the request.
        """
        processes = [process for process in self._processes.values() if process.tenants]
        if len(processes) == 1 and processes[0].is_alone:
            owners = [not processes[0].is_silent]
        else:
            client = (request.client_ip, request.client_port)
            owners = await asyncio.gather(*(process.owns(client) for process in processes))
        found = [process for process, owns in zip(processes, owners, strict=True) if owns]
        # The process may have disconnected meanwhile.
        return next((list(one.tenants.values())[-1] for one in found if one.tenants), None)
