"""One sandbox whose state a store keeps, step by step."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import to_json

from mock_server.store.committing_lock import CommittingLock
from mock_server.store.databases.database import Database
from mock_server.store.history import KEPT_STEPS, History, HistoryStep
from mock_server.store.saved_snapshots import SavedSnapshots
from mock_server.store.step_log import LoggedStep, StepLog
from mock_server.store.writing import ADD_STEP, StateWriter, as_texts
from pytest_turris.core.following import kept_facts
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.option_data import data_of

_CHUNK = 100
"""How many exchanges are written while the sandbox is locked."""

_SKIPPED_IDS = 1_000_000
"""More request ids than a server gives out between two writes of their counter."""

_LONGEST = 200

_TENANT = "SELECT version, step, facts FROM tenants WHERE name = ?"
_UPDATE = """UPDATE tenants SET facts = ?, version = ?, whole = ?, step = ?, due = ?,
    used_at = {now} WHERE name = ?"""
_UPDATE_OPTIONS = "UPDATE tenants SET options = ? WHERE name = ?"


class KeptSandbox:
    """Writes each change of a sandbox before it is answered, and the journal soon after.

    Args:
        database: Where to.
        name: The tenant; its row exists.
        sandbox: The sandbox. If the store has a state for it, it is restored.
        is_clean: Whether the server that wrote that state was stopped properly.
    """

    _wait = 60.0
    """Seconds that a request waits for another one, which may be a large upload."""

    def __init__(
        self, database: Database, name: str, sandbox: Sandbox, *, is_clean: bool = True
    ) -> None:
        self.name: str = name
        self._history = History(database, name)
        self.snapshots: SavedSnapshots = SavedSnapshots(database, name)
        self.sandbox: Sandbox = sandbox
        self._database = database
        self._writer = StateWriter(database, name)
        self.own_lock: contextlib.AbstractContextManager[object] = sandbox.lock
        """The sandbox's lock before it was made to commit."""
        self._what = ""
        self._is_dropped = False
        self._written = 0
        self._options = self._kept_options = options_text(sandbox)
        self._update = _UPDATE.format(now=database.now)
        self._changes = sandbox.state.note_changes()
        with self.own_lock:
            self._start(is_clean=is_clean)
        sandbox.undo.lock = CommittingLock(
            self.own_lock, self._begin, self._commit, wait=self._wait
        )

    @property
    def history(self) -> History:
        """Its steps."""
        self._settle()
        return self._history

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A block, under the sandbox's lock, whose changes have this name in the history."""
        with self.sandbox.lock:
            try:
                yield
            finally:
                self._what = self._what or what

    def end_step(self) -> None:
        """End the step: what follows under the lock is another one."""
        self._commit()

    def rewind(self, number: int) -> HistoryStep:
        """Restore the sandbox as it was after a step, at the time of that step.

        Rewinding is a step itself, so it can be taken back in the same way. The journal stays.

        Raises:
            HistoryError: There is no such step, or it is no longer kept.
        """
        with self.step(f"rewind to {number}"):
            step, state = self.state_at(number)
            self.sandbox.restore(state | {"journal": self.sandbox.journal.snapshot()})
            return step

    def state_at(self, number: int) -> tuple[HistoryStep, dict[str, Any]]:
        """Return a step with the snapshot after it.

        A sandbox that restores it goes on from its time.

        Raises:
            HistoryError: There is no such step, or it is no longer kept.
        """
        with self.sandbox.lock:
            self.flush()
            step, state = self._history.at(number)
            offset = self.sandbox.clock.offset_at(step.at)
            offset_us = offset.days * 86_400_000_000 + offset.seconds * 1_000_000
            return step, state | {"clock": {"offset_us": offset_us + offset.microseconds}}

    def flush(self) -> None:
        """Write what is not written with each step: the journal and the counters of reads.

        Raises:
            StoreError: The database does not take it; it is written the next time.
        """
        self._settle()  # most of it without the sandbox's lock
        while self._flush_some():
            pass
        with self._database.transaction():
            self._history.prune(self._step - KEPT_STEPS)

    @property
    def is_shared(self) -> bool:
        """Whether other servers have the sandbox too."""
        return self._database.is_shared

    @property
    def is_unwritten(self) -> bool:
        """Whether there is something for ``flush`` to do."""
        return bool(self._log) or self._written != self.sandbox.journal.seen

    def detach(self) -> None:
        """Write what waits, and stop keeping the sandbox."""
        self.flush()
        self.drop()

    def drop(self) -> None:
        """Stop keeping the sandbox."""
        self._is_dropped = True  # a request that is under way commits nothing more
        self.sandbox.undo.lock = self.own_lock

    def _start(self, *, is_clean: bool) -> None:
        """Restore what the store has, or else write what the sandbox has."""
        self._log = StepLog(self._database, self.name)
        self._settle()
        self._version, self._step, facts = self._database.select(_TENANT, self.name)[0]
        if facts:
            state = self._history.state(facts)
            if not is_clean:
                drawn = state["randomness"]["drawn"]
                drawn["request id"] = drawn.get("request id", 0) + _SKIPPED_IDS
            self.sandbox.restore(state)
            self._changes = self.sandbox.state.note_changes()
            self._written = self.sandbox.journal.seen
        self._remember_as_written(facts)
        if not facts:
            self._changes.is_everything = True
            self._what = "began"
            self._commit()

    def _begin(self) -> None:
        """Do nothing: no other process changes the state."""

    def _commit(self) -> None:
        """Write what has changed under the lock, as one step.

        Raises:
            StoreError: The database does not take it; the next commit writes all.
        """
        what, self._what = self._what, ""
        if self._is_dropped or not (self._changes or self.sandbox.clock.offset != self._offset):
            return
        is_everything = self._changes.is_everything
        if is_everything:
            self._settle()
        try:
            step = self._next_step(what)
            self._write_step(step, is_everything=is_everything)
            if not is_everything:
                self._log.add(step)
        except BaseException:
            self._changes.is_everything = True  # what was taken from them is not written
            raise
        self._version, self._step = step.version, step.number
        self._remember_as_written(step.facts)

    def _settle(self) -> None:
        """Let all tables have the steps that are committed."""
        self._log.carry_over()

    def _remember_as_written(self, facts: str) -> None:
        self._facts, self._kept_options = facts, self._options
        self._offset, self._seen = self.sandbox.clock.offset, self.sandbox.journal.seen

    def _facts_text(self) -> str:
        return to_json(kept_facts(self.sandbox)).decode()

    def _due(self) -> float | None:
        """When a webhook is to be sent, for the other servers; there are none."""
        return None

    def _next_step(self, what: str) -> LoggedStep:
        """What has changed since the last step."""
        is_everything, sandbox = self._changes.is_everything, self.sandbox
        changed = self._changes.take()
        rows = list(sandbox.state.rows() if is_everything else changed)
        parts = {part for part, _, _ in rows}
        if is_everything or "options" in parts:
            self._options = options_text(sandbox)
        return LoggedStep(
            number=self._step + 1,
            version=self._version + 1,
            at=sandbox.clock.now().isoformat(),
            what=(what or self._description(parts))[:_LONGEST],
            exchange=sandbox.journal.seen,
            facts=self._facts_text(),
            changed=[row for row in as_texts(rows) if row[0] != "options"],
        )

    def _write_step(self, step: LoggedStep, *, is_everything: bool) -> None:
        if not is_everything and self._options == self._kept_options:
            self._write_changes(step)
            return
        with self._database.transaction():
            if is_everything:
                self._write_everything(step)
            else:
                self._write_changes(step)
            self._database.execute(_UPDATE_OPTIONS, self._options, self.name)

    def _write_everything(self, step: LoggedStep) -> None:
        """Write a step that replaced the whole state."""
        self._writer.replace(step.version, step.number, step.changed, self._facts)
        self._writer.add_exchanges(self.sandbox.journal.rows_since(0))
        self._written = step.exchange
        self._write_end(step, whole=step.version)

    def _write_changes(self, step: LoggedStep) -> None:
        """Write a step that changed some rows."""
        self._log.write(step)

    def _write_end(self, step: LoggedStep, whole: int) -> None:
        self._write_tenant(step.facts, step.version, whole, step.number)
        values = (step.number, step.at, step.what, step.exchange)
        self._database.execute(ADD_STEP, self.name, *values)

    def _write_tenant(self, facts: str, version: int, whole: int, step: int) -> None:
        self._database.execute(self._update, facts, version, whole, step, self._due(), self.name)

    def _whole(self) -> int:
        """The version that replaced the whole state; only other servers use it."""
        return 0

    def _flush_some(self) -> bool:
        """Write some exchanges; whether there are more."""
        journal = self.sandbox.journal
        # To redact them takes longest, and needs no lock: requests are answered meanwhile.
        journal.since(self._written, _CHUNK)
        with self.sandbox.lock:
            self._settle()  # in a transaction of its own: what it forgets must be carried over
            with self._database.transaction():
                exchanges = list(journal.rows_since(self._written, _CHUNK))
                self._writer.add_exchanges(exchanges)
                self._facts = self._facts_text()
                self._write_tenant(self._facts, self._version, self._whole(), self._step)
                self._written = int(exchanges[-1][1]) if exchanges else journal.seen
                if self._written < journal.seen:
                    return True
                self._writer.forget_exchanges(before=journal.seen - len(journal) + 1)
                return False

    def _description(self, parts: Iterable[str]) -> str:
        """What a step was: the exchange, or else what has changed."""
        if self.sandbox.journal.seen > self._seen:
            return self.sandbox.journal.last_outline.partition("  [")[0] or "a request"
        wings = {part.partition(".")[0] for part in parts}
        if "outbox" in wings:
            return "webhooks"
        return "time passed" if wings <= {"entity"} else "a change"


def options_text(sandbox: Sandbox) -> str:
    """The options of a sandbox as a store has them."""
    return to_json(data_of(sandbox.options, with_secrets=True)).decode()
