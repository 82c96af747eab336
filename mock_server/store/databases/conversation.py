"""Talks to PostgreSQL: statements are sent together, and prepared at their first use.

psycopg's cursors would take more time than the rest of a request. So this uses the layer below
them, ``psycopg.pq``: libpq in pipeline mode.
"""

import itertools
import select
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

from mock_server.store.databases.database import Found, Query
from pytest_turris.process.steady_clock import steady_time

SILENCE = 30.0
"""Seconds without an answer after which PostgreSQL, or the network, counts as stalled.

It is longer than PostgreSQL lets a statement take.
"""

_IDLE = pq.TransactionStatus.IDLE
_SYNC = pq.ExecStatus.PIPELINE_SYNC
_ABORTED = pq.ExecStatus.PIPELINE_ABORTED
_FAILED = pq.ExecStatus.FATAL_ERROR
_ROWS = pq.ExecStatus.TUPLES_OK
_TEXT, _BINARY = pq.Format.TEXT, pq.Format.BINARY


class Conversation(psycopg.Connection[Any]):
    """A connection that is in pipeline mode from ``begin`` on; then only ``say`` works."""

    def begin(self) -> None:
        """Be ready for ``say``."""
        self.pgconn.enter_pipeline_mode()
        self._statements: dict[str, bytes] = {}
        self._numbers = itertools.count()
        self._transformer = Transformer(self)
        self._readable = select.poll()
        self._readable.register(self.pgconn.socket, select.POLLIN)
        self._usable = select.poll()
        self._usable.register(self.pgconn.socket, select.POLLIN | select.POLLOUT)

    @property
    def has_news(self) -> bool:
        """Whether there is something to read before any statement: PostgreSQL hung up."""
        return bool(self._readable.poll(0))

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction is open, perhaps one that has failed."""
        return not self.closed and self.pgconn.transaction_status != _IDLE

    def say(self, queries: Sequence[Query]) -> list[Found]:
        """Carry out statements in one round trip, and return what each has found.

        Outside of a transaction, they take effect together, or not at all.

        Raises:
            psycopg.Error: One of them failed, and those after it were not carried out; or there
                is no answer, and the connection is closed.
        """
        is_over = False
        try:
            expected = self._send(queries)
            results = self._results()
            is_over = len(results) == len(expected)
        finally:
            if not is_over:
                self.close()  # what comes next on it could be the answer to this
        return self._found(expected, results)

    def _send(self, queries: Sequence[Query]) -> list[tuple[str, bytes]]:
        """Send statements; return for each the statement that it prepares and its name, if any."""
        expected = []
        new: dict[str, bytes] = {}
        for statement, values in queries:
            name = self._statements.get(statement) or new.get(statement)
            if name is None:
                # The number is never used again: statements after a failure are not prepared.
                name = new[statement] = b"s%d" % next(self._numbers)
                self.pgconn.send_prepare(name, _numbered(statement))
                expected.append((statement, name))
            texts, formats = _dumped(values)
            self.pgconn.send_query_prepared(name, texts, formats, _BINARY)
            expected.append(("", b""))
        self.pgconn.pipeline_sync()
        end = steady_time() + SILENCE
        while self.pgconn.flush():
            # PostgreSQL stops reading when its answers are not read.
            self._wait(self._usable, end)
            self.pgconn.consume_input()
        return expected

    def _results(self) -> "list[pq.abc.PGresult]":
        """The results up to the end of what was said."""
        found: list[pq.abc.PGresult] = []
        end = steady_time() + SILENCE
        while True:
            while self.pgconn.is_busy():
                self._wait(self._readable, end)
                self.pgconn.consume_input()
            result = self.pgconn.get_result()
            if result is None:  # the end of one statement's
                if self.pgconn.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == _SYNC:
                return found
            else:
                found.append(result)

    def _wait(self, poll: "select.poll", end: float) -> None:
        """Wait until the socket is ready."""
        if not poll.poll(max(0.0, end - steady_time()) * 1000):
            raise psycopg.OperationalError(f"no answer within {SILENCE:g} s")

    def _found(
        self, expected: list[tuple[str, bytes]], results: "list[pq.abc.PGresult]"
    ) -> list[Found]:
        found: list[Found] = []
        for (statement, name), result in zip(expected, results, strict=True):
            if result.status in (_FAILED, _ABORTED):
                raise error_from_result(result)
            if statement:
                self._statements[statement] = name
            elif result.status == _ROWS:
                self._transformer.set_pgresult(result)
                found.append(self._transformer.load_rows(0, result.ntuples, tuple))
            else:
                found.append([])
        return found


@lru_cache(maxsize=256)
def _numbered(statement: str) -> bytes:
    """A statement with PostgreSQL's signs for values."""
    first, *others = statement.split("?")
    return (first + "".join(f"${place}{text}" for place, text in enumerate(others, 1))).encode()


def _dumped(values: Sequence[Any]) -> "tuple[list[bytes | None], list[pq.Format]]":
    """Values as PostgreSQL gets them. Texts have a length, so that none is cut at a NUL."""
    texts: list[bytes | None] = []
    formats = []
    for value in values:
        if isinstance(value, str):
            texts.append(value.encode())
            formats.append(_BINARY)
        elif value is None or isinstance(value, bytes):
            texts.append(value)
            formats.append(_BINARY)
        else:
            texts.append(repr(value).encode())
            formats.append(_TEXT)
    return texts, formats
