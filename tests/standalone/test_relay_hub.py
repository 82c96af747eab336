"""The server's side of ``--turris-url``: what it does when a test process disconnects."""

import asyncio
import json
from typing import Any

import pytest

from mock_server import relay_hub
from pytest_turris.core.faults.hostile.raw import RawAnswer
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request
from pytest_turris.doors.sockets.raw_response import write

REQUEST = Request(method="GET", path="/v1/agents")


async def next_call(process: relay_hub.TestProcess) -> Any:
    """Return the next message that the server sends to a test process."""
    return json.loads(await anext(process.lines()))


class FakeTransport(asyncio.Transport):
    """Records what the server writes to the client, and how the connection ends."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[object] = []

    def write(self, data: Any) -> None:
        """Record a part."""
        self.events.append(data)

    def is_closing(self) -> bool:
        """The client stays connected."""
        return False

    def close(self) -> None:
        """Record an orderly end."""
        self.events.append("close")

    def abort(self) -> None:
        """Record a broken connection."""
        self.events.append("abort")


async def begin_raw_answer(process: relay_hub.TestProcess) -> RawAnswer:
    """Forward a request that the process answers with raw bytes."""
    forwarded = asyncio.ensure_future(process.forward(REQUEST))
    number = (await next_call(process))["number"]
    process.receive(number, {"raw": 0.05})
    with pytest.raises(RawAnswer) as raised:
        await forwarded
    return raised.value


def test_disconnect_fails_a_forwarded_request() -> None:
    """The client's connection breaks; a late reply is ignored."""

    async def main() -> None:
        hub = relay_hub.RelayHub()
        process = hub.open(is_alone=True)
        forwarded = asyncio.ensure_future(process.forward(REQUEST))
        call = await next_call(process)
        hub.close(process)
        with pytest.raises(ConnectionFailure, match="the test process disconnected"):
            await forwarded
        process.receive(call["number"], {"status": 200})
        assert hub.get(process.id) is None

    asyncio.run(main())


def test_disconnected_process_gets_no_request() -> None:
    """A request that is forwarded after the disconnect fails at once, and no socket is its own."""

    async def main() -> None:
        hub = relay_hub.RelayHub()
        process = hub.open(is_alone=False)
        hub.close(process)
        with pytest.raises(ConnectionFailure):
            await process.forward(REQUEST)
        process.is_reading = True
        assert not await process.owns(("127.0.0.1", 1))

    asyncio.run(main())


def test_raw_answer_is_written_to_its_end() -> None:
    """The server asks for part after part, and reports the end to the process."""

    async def main() -> None:
        process = relay_hub.RelayHub().open(is_alone=True)
        answer, transport = await begin_raw_answer(process), FakeTransport()
        written = asyncio.ensure_future(write(answer, transport, lambda: False))
        sent = []
        for reply in ({"part": "HTTP"}, {"part": 0.0}, {"part": None}, {}):
            call = await next_call(process)
            sent.append((call["what"], call.get("exhausted")))
            process.receive(call["number"], reply)
        await written
        assert sent == [("next_part", None)] * 3 + [("finished", True)]
        assert transport.events == [b"HTTP", "close"]

    asyncio.run(main())


@pytest.mark.parametrize("disconnects", [False, True])
def test_raw_answer_that_the_test_stops(disconnects: bool) -> None:
    """If the test ends or its process disconnects, no part is written any more."""

    async def main() -> None:
        hub = relay_hub.RelayHub()
        process = hub.open(is_alone=True)
        answer, transport = await begin_raw_answer(process), FakeTransport()
        written = asyncio.ensure_future(write(answer, transport, lambda: False))
        call = await next_call(process)
        if disconnects:
            hub.close(process)
        else:
            process.receive(call["number"], {"stopped": True})
            assert (await next_call(process))["what"] == "finished"
            process.receive(call["number"], {})
        await written
        assert answer.stopped
        assert len(transport.events) == 1

    asyncio.run(main())


def test_process_that_disconnects_during_the_search() -> None:
    """A process that says that it owns the socket, but has disconnected, is not chosen."""

    async def main() -> None:
        hub = relay_hub.RelayHub()
        processes = [hub.open(is_alone=False) for _ in "ab"]
        for process in processes:
            process.tenants["1"] = relay_hub.RelayedTenant(process, "a test")
            process.is_reading = True
        found = asyncio.ensure_future(hub.by_socket(REQUEST))
        for process, mine in zip(processes, (True, False), strict=True):
            process.receive((await next_call(process))["number"], {"mine": mine})
        hub.close(processes[0])
        assert await found is None

    asyncio.run(main())


def test_silent_process_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspended process holds up one request for a second, and no other until it replies."""
    monkeypatch.setattr(relay_hub, "_TIMEOUT", 0.01)

    async def main() -> None:
        hub = relay_hub.RelayHub()
        process = hub.open(is_alone=True)
        process.tenants["1"] = relay_hub.RelayedTenant(process, "a test")
        process.is_reading = True
        assert not await process.owns(("127.0.0.1", 1))
        assert process.is_silent
        monkeypatch.setattr(relay_hub, "_TIMEOUT", 60.0)
        assert not await process.owns(("127.0.0.1", 1))
        assert await hub.by_socket(REQUEST) is None
        process.receive(1, {"mine": True})
        assert await hub.by_socket(REQUEST) is process.tenants["1"]

    asyncio.run(main())


def test_process_that_does_not_read_is_not_asked() -> None:
    """Without a reader of its lines, a process can answer nothing."""

    async def main() -> None:
        process = relay_hub.RelayHub().open(is_alone=False)
        assert not await process.owns(("127.0.0.1", 1))

    asyncio.run(main())


@pytest.mark.parametrize("reads", [True, False])
def test_process_that_never_reads_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """After a deadline, unless it reads its lines by then."""
    monkeypatch.setattr(relay_hub, "_READ_SECONDS", 0.01)

    async def main() -> None:
        hub = relay_hub.RelayHub()
        process = hub.open(is_alone=True)
        process.is_reading = reads
        await asyncio.sleep(0.05)
        assert (hub.get(process.id) is process) == reads

    asyncio.run(main())


def test_forwarded_request_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that never answers costs its own client that time, and is known to be silent."""
    monkeypatch.setattr(relay_hub, "_TIMEOUT", 0.01)
    monkeypatch.setattr(relay_hub, "_ANSWER_SECONDS", 0.05)

    async def main() -> None:
        process = relay_hub.RelayHub().open(is_alone=True)
        with pytest.raises(ConnectionFailure, match=r"did not answer within 0\.05 seconds"):
            await process.forward(REQUEST)
        assert process.is_silent

    asyncio.run(main())
