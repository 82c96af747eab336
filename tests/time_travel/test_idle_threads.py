"""Servers, loops and listeners that were idle before the travel do not make the clock stand."""

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager as Context

import pytest

from pytest_turris.process.steady_clock import steady_time
from pytest_turris.time_travel.travel import TimeTravel
from pytest_turris.time_travel.watching import idle_threads
from pytest_turris.time_travel.watching.idle_threads import IdleThreads

HOUR = 3600


@contextlib.contextmanager
def idle_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread, as facades and portals for synchronous code have one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def loop_that_reads() -> Iterator[object]:
    """An event loop whose task waits for a message."""
    own, other = socket.socketpair()
    own.setblocking(False)
    with own, other, idle_loop() as loop:
        reading = asyncio.run_coroutine_threadsafe(loop.sock_recv(own, 1), loop)
        yield loop
        other.send(b"x")
        reading.result()


@contextlib.contextmanager
def reader() -> Iterator[object]:
    """A thread that waits for a message."""
    own, other = socket.socketpair()
    thread = threading.Thread(target=own.recv, args=[1])
    with own, other:
        thread.start()
        yield thread
        other.send(b"x")
        thread.join()


def serve(server: socket.socket) -> None:
    """Take one connection."""
    server.accept()[0].close()


@contextlib.contextmanager
def acceptor() -> Iterator[object]:
    """A server's thread, which waits for a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=[server])
        thread.start()
        yield thread
        socket.create_connection(server.getsockname()).close()
        thread.join()


@pytest.fixture(
    params=[idle_loop, loop_that_reads, reader, acceptor], ids=lambda kind: kind.__name__
)
def background(request: pytest.FixtureRequest) -> Iterator[object]:
    """What waits for something real from before the travel on, in its own thread."""
    make: Callable[[], Context[object]] = request.param
    with make() as found:
        time.sleep(0.05)  # so that it waits
        yield found


def test_idle_threads_are_not_waited_for(background: object, turris_time: TimeTravel) -> None:
    """What a thread of the code under test sleeps passes at once."""
    began = turris_time.now
    with ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, HOUR).result()
    assert (turris_time.now - began).total_seconds() == HOUR


def test_acceptor_that_begins_later(turris_time: TimeTravel) -> None:
    """A server in the test's own thread pool is idle at any time."""
    began = turris_time.now
    with acceptor(), ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, HOUR).result()
    assert (turris_time.now - began).total_seconds() == HOUR


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that is idle before the travel."""
    with idle_loop() as found:
        time.sleep(0.05)
        yield found


def test_idle_loop_that_gets_work(loop: asyncio.AbstractEventLoop, turris_time: TimeTravel) -> None:
    """From then on it is waited for: no deadline passes while it reads from a socket."""

    async def read() -> bytes:
        own, other = socket.socketpair()
        own.setblocking(False)
        with own, other:
            threading.Thread(target=answer, args=[other]).start()
            return await asyncio.wait_for(loop.sock_recv(own, 1), HOUR)

    def answer(other: socket.socket) -> None:
        end = steady_time() + 0.2
        while steady_time() < end:
            pass
        other.send(b"x")

    began = turris_time.now
    assert asyncio.run_coroutine_threadsafe(read(), loop).result() == b"x"
    assert (turris_time.now - began).total_seconds() < HOUR


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Linux' files, a thread is idle as long as it is at one instruction."""

    def refuse(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(idle_threads, "open", refuse, raising=False)
    gate = threading.Lock()
    gate.acquire()
    thread = threading.Thread(target=gate.acquire)
    thread.start()
    time.sleep(0.05)
    idle = IdleThreads()
    frame = sys._current_frames()[thread.ident or 0]
    assert idle.is_idle(thread, frame)
    assert not idle.is_idle(thread, sys._getframe())
    assert not idle.is_idle(thread, frame)
    gate.release()
    thread.join()


def test_new_thread_is_not_one_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python gives the ident of a thread that has ended to a new one; that one has just begun."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    monkeypatch.setattr(idle_threads, "runs_of", lambda *_: 1)
    idle, frame = IdleThreads(), sys._getframe()
    assert idle.is_idle(thread, frame)
    monkeypatch.setattr(thread, "_native_id", thread.native_id + 1 if thread.native_id else 0)
    assert not idle.is_idle(thread, frame)
    over.set()
    thread.join()
