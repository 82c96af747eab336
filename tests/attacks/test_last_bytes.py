"""Requests that arrive at once: each is complete only when all have arrived but for their end."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator

import pytest
from doubles.waiting import eventually

from pytest_turris.attacks.sending.delivery import SendingLimits, over_socket
from pytest_turris.attacks.sending.last_bytes import LastBytes
from pytest_turris.attacks.step import Transmission
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.target import Target, UrlTarget

COPIES = 20
BODY = b"the whole body"
ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


class Listener:
    """A server that reads one request to its end before it takes another connection."""

    def __init__(self) -> None:
        self.waiting: int | None = None
        """How many other connections had come when the first request was complete."""
        self._server = socket.create_server(("127.0.0.1", 0), backlog=COPIES)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def target(self) -> UrlTarget:
        """Where it listens."""
        target = Target.of(f"http://127.0.0.1:{self._server.getsockname()[1]}/")
        assert isinstance(target, UrlTarget)
        return target

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Listen during the block."""
        self._thread.start()
        with self._server:
            yield
            self._thread.join()

    def _serve(self) -> None:
        lines = [self._server.accept()[0]]
        read_to_the_end(lines[0])
        self._server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while len(lines) < COPIES:
                lines.append(self._server.accept()[0])
        self.waiting = len(lines) - 1
        self._server.setblocking(True)
        answer(lines.pop(0))
        for _ in range(COPIES - 1):
            line = lines.pop(0) if lines else self._server.accept()[0]
            line.setblocking(True)
            read_to_the_end(line)
            answer(line)


def read_to_the_end(line: socket.socket) -> None:
    """Read a request with the usual body."""
    read = b""
    while not read.endswith(BODY):
        read += line.recv(65_536)


def answer(line: socket.socket) -> None:
    """Answer a request."""
    with line:
        line.sendall(ANSWER)


def close(pairs: list[tuple[socket.socket, socket.socket]]) -> None:
    """Close both ends."""
    for pair in pairs:
        for one in pair:
            one.close()


def statuses(listener: Listener, *, patience: float) -> list[int | None]:
    """What the copies of one request are answered."""
    limits = SendingLimits(timeout=30, patience=patience)
    post = Post(headers=(), body=BODY)
    with listener.running():
        responses = over_socket(listener.target, Transmission(copies=COPIES), post, limits)
    return [response.answer.status_code if response.answer else None for response in responses]


def test_no_copy_is_complete_before_all_have_come() -> None:
    """So a busy machine does not keep them apart."""
    listener = Listener()
    assert statuses(listener, patience=30) == [204] * COPIES
    assert listener.waiting == COPIES - 1


def test_last_bytes_are_written_when_all_are_ready() -> None:
    """Until the last request is there, none ends."""
    pairs = [socket.socketpair() for _ in range(3)]
    last_bytes = LastBytes(3, patience=60)
    writers = [threading.Thread(target=last_bytes.write, args=(ours, b"!")) for ours, _ in pairs]
    for writer in writers[:2]:
        writer.start()
    eventually(lambda: last_bytes._ready.n_waiting == 2)
    assert not select.select([theirs for _, theirs in pairs], [], [], 0)[0]
    writers[2].start()
    assert [theirs.recv(1) for _, theirs in pairs] == [b"!"] * 3
    for writer in writers:
        writer.join()
    close(pairs)


def test_those_that_are_ready_end_without_the_others() -> None:
    """A server that takes one connection at a time would never take the last."""
    ours, theirs = socket.socketpair()
    LastBytes(2, patience=0.01).write(ours, b"!")
    assert theirs.recv(1) == b"!"
    close([(ours, theirs)])


def test_one_that_cannot_be_sent_lets_the_others_end() -> None:
    """A connection that is refused does not make them wait."""
    ours, theirs = socket.socketpair()
    last_bytes = LastBytes(2, patience=60)
    last_bytes.give_up()
    last_bytes.write(ours, b"!")
    assert theirs.recv(1) == b"!"
    close([(ours, theirs)])


def test_connection_that_is_closed_does_not_keep_the_others() -> None:
    """A receiver may refuse one request by its head."""
    pairs = [socket.socketpair() for _ in range(3)]
    last_bytes = LastBytes(3, patience=60)
    pairs[0][1].close()
    writers = [threading.Thread(target=last_bytes.write, args=(ours, b"!")) for ours, _ in pairs]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [theirs.recv(1) for _, theirs in pairs[1:]] == [b"!", b"!"]
    close(pairs)


@pytest.mark.parametrize("body", [b"", b"x"])
def test_short_bodies_are_sent_too(body: bytes) -> None:
    """One without a body ends with its head."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = Target.of(f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert isinstance(target, UrlTarget)
        answers = threading.Thread(target=answer_short_ones, args=(server, 2))
        answers.start()
        limits = SendingLimits(timeout=30, patience=0.05)
        post = Post(headers=(), body=body)
        responses = over_socket(target, Transmission(copies=2), post, limits)
        answers.join()
    assert [response.answer and response.answer.status_code for response in responses] == [204, 204]


def answer_short_ones(server: socket.socket, count: int) -> None:
    """Answer requests whose body has at most one byte."""
    for _ in range(count):
        line, _ = server.accept()
        with line:
            read = b""
            while b"\r\n\r\n" not in read:
                read += line.recv(65_536)
            if b"Content-Length: 1\r\n" in read and read.endswith(b"\r\n\r\n"):
                line.recv(1)
            line.sendall(ANSWER)
