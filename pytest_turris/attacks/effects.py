"""What a receiver did: counted as changes between two looks, once the receiver is quiet."""

import asyncio
import datetime as dt
import inspect
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from typing import Any

from pytest_turris.attacks.hooks import HookError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.in_process.event_loop import has_loop, loop_is_running, run_async

Settle = float | dt.timedelta | Callable[[], object] | None

PATIENCE = 2.0
"""Real seconds for an effect that is expected, and that may come after the answer."""

_STEP = 0.01
_LONGEST = 10.0
"""A receiver is not quiet after this many real seconds, or ten times ``settle``."""

_DEEPEST = 4

_LOOKS = 4
"""Effects that differ in each of these looks do not come from webhooks."""

_CHANGING = (
    f"the effects change by themselves: {_LOOKS} looks before anything was sent gave something "
    "else each time. Leave out what changes without a webhook, such as a heartbeat or the time of "
    "a query"
)


class EffectsProbe:
    """Counts what a receiver does, by looking at it before and after.

    Args:
        look: Returns a number, or a snapshot such as a list of rows or a dict by id; may be async.
            Each row that was added, changed or removed is one effect.
        settle: For how many seconds nothing may change before the receiver counts as quiet; or a
            function that returns when it is quiet, such as ``queue.join``, and may be async.
        pass_time: Moves the clock of the code under test forward while it is waited for, where
            that clock does not move by itself.
    """

    def __init__(
        self,
        look: Callable[[], object] | None,
        settle: Settle = None,
        pass_time: Callable[[dt.timedelta], object] | None = None,
    ) -> None:
        self._look = look
        self._settle = settle.total_seconds() if isinstance(settle, dt.timedelta) else settle
        self._pass_time = pass_time
        self._seen: object = None
        self._count = 0
        self._busy = False

    @property
    def observes(self) -> bool:
        """Whether effects can be counted."""
        return self._look is not None

    @property
    def settles(self) -> bool:
        """Whether it is known when the receiver is quiet."""
        return self._settle is not None

    @property
    def snapshot(self) -> object:
        """What was seen at the last look: a number, rows, or None before the first."""
        return self._seen

    def note_request(self) -> None:
        """Note that something is sent, so that the receiver may not be quiet."""
        self._busy = True

    def count(self, *, at_least: int = 0, patience: float = PATIENCE) -> int:
        """How many effects there were so far; 0 without a probe.

        Args:
            at_least: Wait until there are this many.
            patience: For how many real seconds to wait at most.

        Raises:
            HookError: A hook gave something of the wrong type, or belongs to another event loop.
        """
        if self._look is None:
            return 0
        if self._busy:
            self._wait_until_quiet()
            self._busy = False
        deadline = steady_time() + patience
        while self._update() < at_least and steady_time() < deadline:
            self._pause()
        return self._count

    def require_still(self, pause: float) -> None:
        """Look before anything is sent, until two looks in a row are alike.

        Args:
            pause: Real seconds between two looks.

        Raises:
            HookError: No two were alike, or the hook gave something of the wrong type.
        """
        if self._look is None:
            return
        before = self._update()
        for _ in range(_LOOKS - 1):
            deadline = steady_time() + pause
            self._pause()
            while steady_time() < deadline:
                self._pause()
            if self._update() == before:
                return
            before = self._count
        raise HookError(_CHANGING)

    def _wait_until_quiet(self) -> None:
        if callable(self._settle):
            call_hook(self._settle, "settle")
        elif self._settle:
            begin = changed = steady_time()
            longest = max(_LONGEST, 10 * self._settle)
            count = self._update()
            while (now := steady_time()) - changed < self._settle and now - begin < longest:
                self._pause()
                if self._update() != count:
                    count, changed = self._count, steady_time()

    def _update(self) -> int:
        """Look, and add what is new since the last look."""
        assert self._look is not None  # noqa: S101 - without a probe nothing is counted
        found = frozen(call_hook(self._look, "effects"))
        if found is None:
            raise HookError(
                "effects() returned None: it must return a number of things done, or a snapshot "
                "such as a list of rows"
            )
        if self._seen is not None:
            self._count += changes(self._seen, found)
        self._seen = found
        return self._count

    def _pause(self) -> None:
        """Let the receiver work for a moment: its threads, its tasks, and its clock."""
        if self._pass_time:
            self._pass_time(dt.timedelta(seconds=_STEP))
        if has_loop():
            run_async(_real_pause)
        else:
            time.sleep(_STEP)


def call_hook(hook: Callable[[], object], name: str) -> object:
    """Call a function of the test, which may be async, and return its result.

    Raises:
        HookError: It uses objects of an event loop that is running, and has to be awaited there.
    """
    result = hook()
    if not inspect.isawaitable(result):
        return result

    async def wait() -> object:
        return await result

    try:
        return run_async(wait)
    except RuntimeError as error:
        if loop_is_running() and "loop" in str(error):
            raise HookError(
                f"{name}() belongs to the event loop of this test: {error}. In an async test, "
                "await turris_webhook_attack.arun(...)"
            ) from error
        raise


def read_text(hook: Callable[[], object], name: str) -> str:
    """Return the text that a function of the test returns, which may be async.

    Raises:
        HookError: It returned something other than a text.
    """
    text = call_hook(hook, name)
    if not isinstance(text, str):
        raise HookError(f"{name}() must return a text, not {type(text).__name__}")
    return text


async def _real_pause() -> None:
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[None] = loop.create_future()
    loop.call_later(_STEP, woken.set_result, None)
    await woken


def changes(before: object, after: object) -> int:
    """How many things differ between two snapshots of one kind.

    Of numbers it is the difference; of lists, tuples and sets the elements that were added,
    changed or removed; of a dict the sum over its keys. Anything else differs or not.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return sum(_inside(before.get(key), after.get(key)) for key in before.keys() | after.keys())
    return _inside(before, after)


def _inside(before: Any, after: Any) -> int:  # noqa: ANN401 - a snapshot
    if _is_number(before) and _is_number(after):
        return int(abs(after - before))
    if isinstance(before, _Rows) and isinstance(after, _Rows):
        old, new = Counter(map(repr, before)), Counter(map(repr, after))
        return max((new - old).total(), (old - new).total())
    tables = isinstance(before, Mapping) and isinstance(after, Mapping)
    if tables and all(
        isinstance(row, Mapping | _Rows) for row in (*before.values(), *after.values())
    ):
        return sum(before.get(key) != after.get(key) for key in before.keys() | after.keys())
    return int(before != after)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class _Rows(tuple[Any, ...]):
    """The elements of a list, a tuple, a set or another iterable."""

    __slots__ = ()


def frozen(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever a test returns
    """A snapshot as plain data, which does not change with the objects that it was made of.

    Iterables become tuples, mappings dicts; a dataclass, a model of an ORM or another object with
    attributes becomes a dict of those whose names do not begin with an underscore.
    """
    if value is None or isinstance(value, str | bytes | bool | int | float) or depth > _DEEPEST:
        return value if depth <= _DEEPEST else repr(value)
    if isinstance(value, Mapping):
        return {key: frozen(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, AbstractSet):
        return _Rows(sorted((frozen(inner, depth + 1) for inner in value), key=repr))
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: frozen(getattr(value, part.name), depth + 1) for part in fields(value)}
    if isinstance(value, Iterable):
        return _Rows(frozen(inner, depth + 1) for inner in value)
    members = {
        name: frozen(inner, depth + 1)
        for name, inner in getattr(value, "__dict__", {}).items()
        if not name.startswith("_")
    }
    return members or value
