"""What one call of the client under test returned or raised."""

import builtins
import datetime as dt
import json
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_turris.conformance.errors import ViolationError
from pytest_turris.core.text.redaction import redact

_SHOWN = 200
_LONGEST_CHAIN = 100
_LONG = 0.5
"""Real seconds: a call that failed later may have ended by a timeout of any name."""

# A client may raise it on purpose: what its author has to know then is that this does not count.
_OWN_CLASS = (
    "Where the client raises {name} on purpose: an exception of Python's own does not count as the "
    "client's, because no caller can tell it from a bug. Write class TurrisError(Exception): ... "
    "and raise TurrisError(...) there."
)


@dataclass(frozen=True)
class CallResult:
    """A value or an error, the virtual time that the call took, and its real seconds."""

    value: object = None
    error: BaseException | None = None
    took: dt.timedelta = dt.timedelta(0)
    lasted: float = 0.0
    cancelled_at: float | None = None
    """When it was cancelled, on the steady clock, if it did not end by that."""
    hangs: bool = False
    """Whether the call never ended by itself."""

    @property
    def crashed(self) -> bool:
        """Whether the error is one of Python's own, which no caller can be expected to catch."""
        kind = type(self.error)
        own = getattr(builtins, kind.__name__, None) is kind and not isinstance(self.error, OSError)
        return self.error is not None and (own or kind is json.JSONDecodeError)

    @property
    def timed_out(self) -> bool:
        """Whether it ended by a timeout of the client: Python's, or a library's of that name."""
        seen, known = None if self.hangs else self.error, 0
        while seen is not None and known < _LONGEST_CHAIN:
            if isinstance(seen, TimeoutError) or "Timeout" in type(seen).__name__:
                return True
            seen, known = seen.__cause__ or seen.__context__, known + 1
        return False

    @property
    def may_have_timed_out(self) -> bool:
        """Whether it did, perhaps by an error of another name: it failed after a long time."""
        return self.timed_out or (self.error is not None and self.lasted >= _LONG)

    def __str__(self) -> str:
        if self.error is None:
            return "a result"
        # One line: the text around it has lines of its own.
        first = redact(str(self.error)).partition("\n")[0]
        return f"{type(self.error).__name__}: {first[:_SHOWN]}"


def require_no_crash(results: Sequence[CallResult], what: str) -> None:
    """Require that no call ended by an exception of Python's own.

    Args:
        results: Of the calls.
        what: What happened to the client, in words; the error follows.

    Raises:
        ViolationError: A call did. It says how to make an error of the client's own.
    """
    crashed = next((result for result in results if result.crashed), None)
    if crashed:
        besides = _OWN_CLASS.format(name=type(crashed.error).__name__)
        raise ViolationError(f"{what}: {crashed}", besides=besides)


def texts_of(error: BaseException | None) -> str:
    """What every log of the error shows: its text, notes and causes.

    A context that ``raise ... from None`` suppresses is not shown by a traceback (the language
    reference, "The raise statement"), nor by an error tracker, so it is left out.
    """
    if error is None:
        return ""
    return "\n".join([*traceback.format_exception(error), *map(str, _chain(error))])


def reprs_of(error: BaseException | None) -> str:
    """What some logs show besides: its repr and arguments, and those of its causes."""
    return "\n".join(text for one in _chain(error) for text in (repr(one), repr(one.args)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, as a traceback has them."""
    for _ in range(_LONGEST_CHAIN):  # a chain can loop
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
