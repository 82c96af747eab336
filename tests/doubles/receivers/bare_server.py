"""A server of its own, strict, or lenient in one of the ways that are listed below."""

import contextlib
import re
import select
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from .good_receiver import ENTITY, KEY, MAX_BODY, Backend, StatusInbox

LENIENT = (
    "WH-30", "WH-31", "WH-32", "WH-33", "WH-34", "WH-35", "WH-36", "WH-56", "WH-67", "WH-68",
    "WH-69", "WH-141", "WH-156", "WH-157",
)  # fmt: skip

UNAUTHORIZED = 401

Lines = list[tuple[str, str]]


class BadRequestError(Exception):
    """The bytes are no request."""


class TooLargeError(Exception):
    """The body is longer than any webhook."""


class NoLimit(StatusInbox):
    """Verifies a body of any length, and refuses what is too long only then."""

    def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> int:
        return 401 if len(body) > MAX_BODY else super().receive(headers, body)


class BareServer:
    """Answers on a loopback socket, one thread for each connection; ``lenient`` in one way."""

    def __init__(self, lenient: str = "") -> None:
        self.backend = Backend()
        inbox_class = NoLimit if lenient == "WH-67" else StatusInbox
        self._inbox = inbox_class([KEY], ENTITY, self.backend.act)
        self._inbox.backend = self.backend
        self._lenient = lenient
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/webhooks"
        threading.Thread(target=self._serve, daemon=True).start()

    @contextlib.contextmanager
    def open(self) -> Iterator["BareServer"]:
        """Serve while the context is open."""
        try:
            yield self
        finally:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            if self._lenient in ("WH-68", "WH-156"):
                self._converse(line)
            else:
                threading.Thread(target=self._converse, args=(line,), daemon=True).start()

    def _converse(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as reader, contextlib.suppress(OSError):
            line.settimeout(60)
            # A lenient one leaves the connection open, whatever the lengths of a request.
            for _ in range(2 if self._lenient == "WH-69" else 1):
                if status := self._answer(reader):
                    line.sendall(b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status)

    def _answer(self, reader: BinaryIO) -> int:
        try:
            return self._status(reader)
        except (BadRequestError, ValueError, IndexError):
            return 400
        except TooLargeError:
            return 413

    def _status(self, reader: BinaryIO) -> int:
        head = [reader.readline().rstrip(b"\r\n")]
        while (text := reader.readline()).strip(b"\r\n"):
            head.append(text[:-2])
        lines = self._lines([text.decode("latin-1") for text in head[1:]])
        body = self._body(reader, lines)
        if body is None:
            return 0
        if not head[0].startswith(b"POST /webhooks "):
            return 404
        kept = [line for line in lines if line[0].lower() != "transfer-encoding"]
        status = self._inbox.receive(kept, body)
        if self._lenient == "WH-156" and status == UNAUTHORIZED:
            select.select([], [], [], 1)
        return status

    def _lines(self, texts: list[str]) -> Lines:
        found: Lines = []
        for text in texts:
            if text[0] in " \t":
                self._only("WH-34")
                found[-1] = (found[-1][0], found[-1][1] + text.strip())
                continue
            name, _, value = text.partition(":")
            self._field(found, name, value)
        return found

    def _field(self, found: Lines, name: str, value: str) -> None:
        if name != name.strip():
            self._only("WH-35")
        if re.search(r"[\0\r\n]", value):
            self._only("WH-36")
            value = re.split(r"[\0\r\n]", value)[0]
        if "_" in name:
            if self._lenient not in ("WH-30", "WH-31"):
                return
            name = name.replace("_", "-")
            found[:] = [line for line in found if line[0] != name]
        if "signature" in name.lower() and self._ignores(name, value):
            return
        found.append((name.strip(), value.strip(" \t")))

    def _ignores(self, name: str, value: str) -> bool:
        if self._lenient in ("WH-32", "WH-141"):
            return name != "X-Turris-Signature"
        return self._lenient == "WH-33" and value != " " + value.strip()

    def _body(self, reader: BinaryIO, lines: Lines) -> bytes | None:
        sizes = [value for name, value in lines if name.lower() == "content-length"]
        chunked = any(name.lower() == "transfer-encoding" for name, _ in lines)
        if len(sizes) + chunked != 1:
            self._only("WH-69")
            lines[:] = [line for line in lines if line[0].lower() != "content-length"]
        if chunked:
            return self._chunks(reader)
        if not all(size.isdigit() for size in sizes):
            self._only("WH-157")
        size = max(map(int, sizes))
        self._limit(size)
        body = reader.read(size)
        if len(body) < size and self._lenient != "WH-56":
            return None
        return body

    def _only(self, id_: str) -> None:
        if self._lenient != id_:
            raise BadRequestError

    def _chunks(self, reader: BinaryIO) -> bytes:
        body = bytearray()
        while size := int(reader.readline(), 16):
            self._limit(len(body) + size)
            body += reader.read(size) or b""
            reader.readline()
        return bytes(body)

    def _limit(self, size: int) -> None:
        if size > MAX_BODY and self._lenient != "WH-67":
            raise TooLargeError
