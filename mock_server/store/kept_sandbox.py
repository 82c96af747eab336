"""One sandbox whose state a store keeps, step by step."""

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from mock_server.store.committing_lock import CommittingLock
from mock_server.store.database import Database
from mock_server.store.history import KEPT_STEPS, History, Step
from mock_server.store.writing import StateWriter
from pytest_turris.core.changes import Row
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.rows import snapshot_from

_CHUNK = 100
"""How many exchanges are written while the sandbox is locked."""

_SKIPPED_IDS = 1_000_000
"""More request ids than a server gives out between two writes of their counter."""

_LONGEST = 200


class KeptSandbox:
    """Writes each change of a sandbox before it is answered, and the journal soon after.

    Args:
        database: Where to.
        name: The tenant; its row exists.
        sandbox: The sandbox. If the store has a state of it, it becomes that.
        is_clean: Whether the server that wrote that state was stopped in order.
    """

    def __init__(
        self, database: Database, name: str, sandbox: Sandbox, *, is_clean: bool = True
    ) -> None:
        self.name: str = name
        self.history: History = History(database, name)
        self.sandbox: Sandbox = sandbox
        self._database = database
        self.own_lock: contextlib.AbstractContextManager[object] = sandbox.lock
        """The sandbox's lock before it was made to commit."""
        self._what = ""
        self._written = 0
        with self.own_lock:
            self._step = self.history.last
            found = self.history.rows()
            if found:
                self._restore(found, is_clean=is_clean)
            self._writer = StateWriter(database, name, self.history.last_position)
            self._changes = sandbox.state.note_changes()
            self._offset = sandbox.clock.offset
            self._seen = sandbox.journal.seen
            if not found:
                self._changes.is_everything = True
                self._what = "began"
                self._commit()
        sandbox.lock = CommittingLock(self.own_lock, self._commit)

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A block, under the sandbox's lock, whose changes have this name in the history."""
        with self.sandbox.lock:
            try:
                yield
            finally:
                self._what = self._what or what

    def rewind(self, number: int) -> Step:
        """Let the sandbox become what it was after a step, at the moment of that step.

        Rewinding is a step itself, so it can be taken back in the same way. The journal stays.

        Raises:
            HistoryError: There is no such step, or it is no longer kept.
        """
        with self.step(f"rewind to {number}"):
            step, state = self.state_at(number)
            self.sandbox.restore(state | {"journal": self.sandbox.journal.snapshot()})
            return step

    def state_at(self, number: int) -> tuple[Step, dict[str, Any]]:
        """A step with the snapshot after it, from whose moment a sandbox goes on that restores it.

        Raises:
            HistoryError: There is no such step, or it is no longer kept.
        """
        with self.sandbox.lock:
            self.flush()
            step, rows = self.history.at(number)
            offset = step.at - self.sandbox.clock.process_time()
            offset_us = offset // dt.timedelta(microseconds=1)
            return step, snapshot_from(rows) | {"clock": {"offset_us": offset_us}}

    def flush(self) -> None:
        """Write what is not written with each step: the journal, and the counters of reads.

        Raises:
            StoreError: The database does not take it; it is written the next time.
        """
        while self._flush_some():
            pass
        with self._database.transaction():
            self.history.prune(self._step - KEPT_STEPS)

    def detach(self) -> None:
        """Write what waits, and keep the sandbox no longer."""
        self.flush()
        self.sandbox.lock = self.own_lock

    def _restore(self, rows: list[Row], *, is_clean: bool) -> None:
        state = snapshot_from(rows)
        if not is_clean:
            drawn = state["randomness"]["drawn"]
            drawn["request id"] = drawn.get("request id", 0) + _SKIPPED_IDS
        self.sandbox.restore(state)
        self._written = self.sandbox.journal.seen

    def _flush_some(self) -> bool:
        """Write some exchanges; whether there are more."""
        journal = self.sandbox.journal
        with self.sandbox.lock, self._database.transaction():
            exchanges = list(journal.rows_since(self._written, _CHUNK))
            few = (*self.sandbox.state.few_rows(), ("journal", "", {"seen": journal.seen}))
            self._writer.write(self._writer.changed((*few, *exchanges)))
            self._written = int(exchanges[-1][1]) if exchanges else journal.seen
            if self._written < journal.seen:
                return True
            self._writer.forget_exchanges(before=journal.seen - len(journal) + 1)
            return False

    def _commit(self) -> None:
        """Write what has changed under the lock, as one step.

        Raises:
            StoreError: The database does not take it; the next commit writes all.
        """
        what, self._what = self._what, ""
        offset = self.sandbox.clock.offset
        if not self._changes and offset == self._offset:
            return
        try:
            with self._database.transaction():
                self._write_step(what)
        except BaseException:
            self._changes.is_everything = True  # what was taken of them is not written
            raise
        self._step += 1
        self._offset, self._seen = offset, self.sandbox.journal.seen

    def _write_step(self, what: str) -> None:
        number = self._step + 1
        if self._changes.is_everything:
            for _ in self._changes.take():
                pass
            parts = self._writer.replace(number, self.sandbox.state.rows())
            self._written = self.sandbox.journal.seen
        else:
            rows = {(part, key): value for part, key, value in self._changes.take()}
            rows |= {(part, key): value for part, key, value in self.sandbox.state.few_rows()}
            changed = self._writer.changed((*place, value) for place, value in rows.items())
            self._writer.remember(number, changed)
            self._writer.write(changed)
            parts = {part for part, _, _ in changed}
        self._database.execute(
            "INSERT INTO steps VALUES (?, ?, ?, ?, ?)",
            self.name,
            number,
            self.sandbox.clock.now().isoformat(),
            (what or self._description(parts))[:_LONGEST],
            self.sandbox.journal.seen,
        )

    def _description(self, parts: Iterable[str]) -> str:
        """What a step was: the exchange, or else what has changed."""
        if self.sandbox.journal.seen > self._seen:
            line = self.sandbox.journal.last_line.partition("Z  ")[2]
            return line.partition("  [")[0] or "a request"
        wings = {part.partition(".")[0] for part in parts}
        if "outbox" in wings:
            return "webhooks"
        return "time passed" if wings <= {"entity", "sandbox", "randomness"} else "a change"
