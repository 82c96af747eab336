"""Test processes whose sandboxes answer through this server, and what is handed on to them.

A sandbox of a test lives in the process of the test, where its fixtures hold it. This server
knows of it who asks for it: the fingerprints of its credentials.
"""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Callable

from pytest_turris.core.faults.hostile.raw import Part
from pytest_turris.core.tenants import credentials_in
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request, Response, encode
from pytest_turris.doors.sockets.raw_response import StreamedAnswer
from pytest_turris.relay.protocol import (
    Parcel,
    fingerprint,
    packed_request,
    unpacked_answer,
    unpacked_part,
)

_PAUSE = 0.5
_PATIENCE = 1.0

Address = tuple[str, int]


class Tenant:
    """One sandbox of a test process, and whom it answers."""

    def __init__(self, relay: "Relay", name: str) -> None:
        self.relay: Relay = relay
        self.name: str = name
        self.fingerprints: set[str] = set()


class Relay:
    """One test process. Used by the server's event loop alone."""

    def __init__(self, *, is_alone: bool) -> None:
        self.id: str = os.urandom(16).hex()
        self.is_alone: bool = is_alone
        """Whether no other process runs tests of the same suite."""
        self.tenants: dict[str, Tenant] = {}
        self.is_closed: bool = False
        self._lines: asyncio.Queue[Parcel] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._inquiries: dict[int, Inquiry] = {}

    async def ask(self, request: Request) -> Response:
        """The answer of the process' sandbox.

        Raises:
            ConnectionFailure: A scripted one, or the process went away.
        """
        inquiry = self._inquire()
        answer = await inquiry.ask("exchange", request=packed_request(request))
        if "raw" in answer:
            raise _Relayed(inquiry, answer["raw"])
        inquiry.end()
        if "failure" in answer:
            raise ConnectionFailure(answer["failure"])
        return unpacked_answer(answer)

    async def owns(self, client: Address) -> bool:
        """Whether the client's end of a connection is a socket of the process."""
        inquiry = self._inquire()
        with contextlib.suppress(ConnectionFailure):
            answer = await inquiry.ask("whose", host=client[0], port=client[1])
            inquiry.end()
            return bool(answer["mine"])
        return False

    def hear(self, number: int, parcel: Parcel) -> None:
        """What the process says, if somebody still waits for it."""
        if inquiry := self._inquiries.get(number):
            inquiry.said.put_nowait(parcel)

    async def lines(self) -> AsyncIterator[bytes]:
        """What the process is asked, line by line, until it or the server goes away."""
        while not self.is_closed:
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(self._lines.get(), _PAUSE)
                yield encode(line) + b"\n"

    def close(self) -> None:
        """Nothing more is asked or said."""
        self.is_closed = True
        self.tenants.clear()
        for inquiry in self._inquiries.values():
            inquiry.said.put_nowait(None)

    def _inquire(self) -> "Inquiry":
        number = next(self._numbers)
        inquiry = Inquiry(number, self._lines, end=lambda: self._inquiries.pop(number, None))
        self._inquiries[number] = inquiry
        if self.is_closed:  # it went away while somebody looked for whom to ask
            inquiry.said.put_nowait(None)
        return inquiry


class Inquiry:
    """A matter of which a test process is asked, and what it said."""

    def __init__(
        self, number: int, lines: asyncio.Queue[Parcel], *, end: Callable[[], object]
    ) -> None:
        self._number = number
        self._lines = lines
        self.end: Callable[[], object] = end
        """All is said."""
        self.said: asyncio.Queue[Parcel | None] = asyncio.Queue()
        """In order; None once the process went away."""

    async def ask(self, what: str, **more: object) -> Parcel:
        """What the process says.

        Raises:
            ConnectionFailure: It went away.
        """
        self._lines.put_nowait({"what": what, "number": self._number} | more)
        parcel = await self.said.get()
        if parcel is None:
            self.end()
            raise ConnectionFailure("reset", "the test process went away")
        return parcel


class _Relayed(StreamedAnswer):
    """A raw answer whose script runs in the test process, step by step."""

    def __init__(self, inquiry: Inquiry, patience: float) -> None:
        super().__init__(patience)
        self._inquiry = inquiry

    async def stream(self) -> AsyncIterator[Part]:
        """Ask for part after part."""
        with contextlib.suppress(ConnectionFailure):
            while not (parcel := await self._inquiry.ask("more")).get("stopped"):
                part = unpacked_part(parcel)
                if part is None:
                    return
                yield part
        self.stopped = True

    async def finished(self) -> None:
        """Say how it ended, and wait a moment for the process to know."""
        # It may be gone; the client learns its end all the same.
        with contextlib.suppress(ConnectionFailure, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._inquiry.ask("over", exhausted=self.exhausted)
        self._inquiry.end()


class Relays:
    """All test processes that are there."""

    def __init__(self) -> None:
        self._relays: dict[str, Relay] = {}

    def open(self, *, is_alone: bool) -> Relay:
        """A process came."""
        relay = Relay(is_alone=is_alone)
        self._relays[relay.id] = relay
        return relay

    def close(self, relay: Relay) -> None:
        """A process went away, and its sandboxes with it."""
        relay.close()
        self._relays.pop(relay.id, None)

    def get(self, relay_id: str) -> Relay | None:
        """The process of that id."""
        return self._relays.get(relay_id)

    @property
    def tenants(self) -> list[Tenant]:
        """The sandboxes of all tests that are running, the newest last."""
        return [tenant for relay in self._relays.values() for tenant in relay.tenants.values()]

    def stop(self) -> None:
        """The server goes away; may be said by any thread."""
        for relay in tuple(self._relays.values()):
            relay.is_closed = True

    def named_in(self, request: Request) -> Tenant | None:
        """The sandbox that issued the request's credential."""
        named = {fingerprint(credential) for credential in credentials_in(request)}
        return next((one for one in self.tenants if named & one.fingerprints), None)

    async def behind(self, request: Request) -> Tenant | None:
        """The sandbox whose test sent a request without a known credential.

        It came from a socket of a test process; or there is but one such process, so that it
        came from a child of that.
        """
        relays = [relay for relay in self._relays.values() if relay.tenants]
        if len(relays) == 1 and relays[0].is_alone:
            owners = [True]
        else:
            client = (request.client_ip, request.client_port)
            owners = await asyncio.gather(*(relay.owns(client) for relay in relays))
        found = [relay for relay, owns in zip(relays, owners, strict=True) if owns]
        return next((list(relay.tenants.values())[-1] for relay in found if relay.tenants), None)
