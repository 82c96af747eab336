"""One sandbox that several servers have: each takes over the changes of the others first.

A thread that holds the sandbox's lock holds the row of the tenant too, so that one server at a time
uses the state, and its clock is that of the database. All that a holder changes is one commit,
with a version; the next holder reads what has a later version than the one it knows.
"""

import contextlib
import datetime as dt

from pydantic_core import from_json

from mock_server.store.databases.database import Database, Found
from mock_server.store.errors import StoreError, TenantGoneError
from mock_server.store.history import EXCHANGES, KEPT_STEPS, snapshot_of
from mock_server.store.kept_sandbox import KeptSandbox
from mock_server.store.leases import Leases
from mock_server.store.step_log import LoggedStep
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.option_data import options_from

_GONE_KEPT = 10_000
"""For this many versions, deleted rows stay known, for servers that were idle."""

_OFTEN = 100
"""After this many commits, what is no longer kept is forgotten."""

# The time is that after the wait for the lock, as the outer query reads nothing before the inner
# one has its row. A server that knows the version needs no facts.
_LOCK = """SELECT version, whole, step, CASE WHEN version <> ? THEN facts END,
    CASE WHEN version <> ? THEN options END, {now}
    FROM (SELECT version, whole, step, facts, options FROM tenants WHERE name = ?{row_lock}) AS t"""
# A separate query, so that it sees what was committed during that wait. Exchanges have no part.
_NEWS = """SELECT part, key, position, value FROM state WHERE tenant = ? AND version > ?
    UNION ALL SELECT '', '', number, value FROM exchanges WHERE tenant = ? AND number > ?
    ORDER BY 3"""
_FACTS = "SELECT facts, options FROM tenants WHERE name = ?"
_WHOLE = """SELECT part, key, value FROM state WHERE tenant = ? AND value IS NOT NULL
    ORDER BY position"""


class SharedSandbox(KeptSandbox):
    """A kept sandbox that is one of several.

    Args:
        database: Where the state is.
        name: The tenant; its row exists.
        sandbox: The sandbox. If the store has a state for it, it is restored.
        owner: The name of this server among the others.
        lease: For how many seconds a server that claimed a delivery may send it.
    """

    _wait = 20.0
    """As long as for a connection."""

    def __init__(
        self, database: Database, name: str, sandbox: Sandbox, *, owner: str, lease: float
    ) -> None:
        self._generation: int = -1
        self._kept_entries = 0
        self._whole_version = 0
        self._flushed = 0
        self._holding = contextlib.ExitStack()
        self._leases = Leases(owner, lease)
        self._lock_query = _LOCK.format(now=database.now, row_lock=database.row_lock)
        super().__init__(database, name, sandbox)

    def flush(self) -> None:
        """Delete what is no longer kept; everything else is written with each request.

        Raises:
            StoreError: The database does not take it; it is done the next time.
        """
        journal = self.sandbox.journal
        with self.sandbox.lock:
            self._writer.forget_exchanges(before=journal.seen - len(journal) + 1)
            self._writer.forget_gone(before=self._version - _GONE_KEPT)
            self._history.prune(self._step - KEPT_STEPS)
            self._flushed = self._version

    @property
    def is_unwritten(self) -> bool:
        """Whether there is something for ``flush`` to do."""
        return bool(self._version >= self._flushed + _OFTEN)

    def end_step(self) -> None:
        """End the step: what follows under the lock is another one. Both are committed at its end.

        What reads added to the journal is written with the next step, or at the end.
        """
        if self._is_step:
            what, self._what = self._what, ""
            self._write(what)
            self._remember_as_written(self._facts)
            self._leases.changed = False
            self._kept_entries = len(self.sandbox.journal)

    def detach(self) -> None:
        """Stop keeping the sandbox."""
        self.drop()

    def _start(self, *, is_clean: bool) -> None:
        del is_clean  # a commit has all counters
        self.sandbox.outbox.claims = self._leases
        self._version, self._step, self._facts = -1, 0, ""
        self._begin()
        self._commit()

    def _begin(self) -> None:
        """Lock the tenant, and take over what others have changed.

        Raises:
            StoreError: The database does not answer, or another server holds it for too long.
            TenantGoneError: Another server has deleted it.
        """
        self._holding = contextlib.ExitStack()
        try:
            self._holding.enter_context(self._database.transaction())
            tenants, news = self._database.select_all(
                (self._lock_query, (self._version, self._version, self.name)),
                (_NEWS, (self.name, self._version, self.name, self.sandbox.journal.seen)),
            )
            self._take_over(tenants, news)
        except BaseException as error:
            self._generation = -1
            with contextlib.suppress(StoreError):
                self._holding.__exit__(type(error), error, None)
            raise

    def _take_over(self, tenants: Found, news: Found) -> None:
        if not tenants:
            raise TenantGoneError(self.name)
        version, whole, step, facts, options, now = tenants[0]
        sandbox = self.sandbox
        moment = dt.datetime.fromtimestamp(now, dt.UTC)
        sandbox.clock.correction = moment - sandbox.clock.process_time()
        self._leases.begin(now)
        is_stale = self._generation != self._database.generation or self._version < whole
        if is_stale or not 0 <= version - self._version < _GONE_KEPT:
            if not self._read_whole():
                self._changes.is_everything, self._what = True, "began"
                self._version, self._kept_entries = version, 0
                self._remember_as_written("")
                return
        elif version != self._version:
            self._follow(facts, news)
            self._take_options(options)
        self._version, self._step, self._whole_version = version, step, whole
        self._generation = self._database.generation
        self._changes.take()  # what was taken over is already written
        self._remember_as_written(self._facts)
        self._kept_entries = len(sandbox.journal)

    def _follow(self, facts: str, news: Found) -> None:
        """Take over what has changed."""
        read = from_json(facts)
        changed = ((part, key, value and from_json(value)) for part, key, _, value in news if part)
        exchanges = ((number, value) for part, _, number, value in news if not part)
        self.sandbox.follow(read, changed, exchanges)
        self._leases.restore(read.get("leases", {}))
        self._facts = facts

    def _take_options(self, options: str) -> None:
        if options != self._options:
            self.sandbox.change_options(options_from(from_json(options)))
            self._options = options

    def _read_whole(self) -> bool:
        """Restore what the database has, whatever this process knew, but for its own deliveries.

        Returns whether the database has a state.
        """
        tenants, rows, exchanges = self._database.select_all(
            (_FACTS, (self.name,)), (_WHOLE, (self.name,)), (EXCHANGES, (self.name,))
        )
        facts, options = tenants[0]
        if not facts:
            return False
        read = from_json(facts)
        found = ((part, key, from_json(value)) for part, key, value in rows)
        self.sandbox.follow_whole(snapshot_of(read, found, exchanges), read)
        self._take_options(options)
        self._leases.restore(read.get("leases", {}))
        self._facts = facts
        return True

    def _commit(self) -> None:
        """Write what has changed under the lock, and release the tenant.

        Raises:
            StoreError: The database did not take it, or its answer is lost. The next holder reads
                the whole state from the database.
        """
        what, self._what = self._what, ""
        try:
            with self._holding:
                self._write(what)
        except BaseException:
            self._generation = -1
            raise

    def _write(self, what: str) -> None:
        journal = self.sandbox.journal
        since = journal.seen - self._seen
        if len(journal) < min(self._kept_entries + since, journal.limit):
            self._changes.is_everything = True  # it was cleared
        is_step = self._is_step
        if not is_step and not since and not self._leases.changed:
            return
        if is_step and not self._changes.is_everything:
            self._writer.add_exchanges(journal.rows_since(self._seen))
        if is_step:
            was_whole = self._changes.is_everything
            step = self._next_step(what)
            self._write_step(step, is_everything=was_whole)
            self._facts, self._step = step.facts, step.number
            if was_whole:
                self._whole_version = self._version + 1
        else:
            self._writer.add_exchanges(journal.rows_since(self._seen))
            facts = self._facts_text()
            self._write_tenant(facts, self._version + 1, self._whole_version, self._step)
            self._facts = facts
        self._version += 1

    def _settle(self) -> None:
        """Do nothing: a commit has all tables, as the other servers read them."""

    def _write_changes(self, step: LoggedStep) -> None:
        self._writer.remember(step.number, step.changed, self._facts)
        self._writer.write(step.version, step.changed)
        self._write_end(step, whole=self._whole())

    @property
    def _is_step(self) -> bool:
        return bool(self._changes) or self.sandbox.clock.offset != self._offset

    def _facts_text(self) -> str:
        return self._leases.added_to(self.sandbox.shared_facts())

    def _whole(self) -> int:
        return self._whole_version

    def _due(self) -> float | None:
        moment = self.sandbox.next_due(but=self._leases.numbers)
        ends = self._leases.next_end
        if moment is None:
            return ends
        due = (moment - self.sandbox.clock.offset).timestamp()
        return due if ends is None else min(due, ends)
