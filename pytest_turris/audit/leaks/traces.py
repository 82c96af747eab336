"""What left the application in one test: texts and files, each with who let it out."""

import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Self

from pytest_turris.audit.places import CallSite, call_of

_MOST = 20_000

Note = Callable[..., None]
"""``LeakTraces.note`` of the test that runs."""


@dataclass(slots=True)
class Trace:
    """One text that left the application.

    Args:
        check: The check of its channel, such as ``LK-01``.
        text: The text, as it was; it is never shown.
        call: Where it was made.
        name: The logger, the file, the program.
        port: The port that it was sent from, for a socket.
        message: Of a log record, its message alone.
    """

    check: str
    text: str
    call: CallSite
    name: str = ""
    port: int = 0
    message: str = ""


class _Noticed(set[str]):
    """Names of files; notes who was the first to write each."""

    def __init__(self, who: Callable[[], CallSite]) -> None:
        super().__init__()
        self._who = who
        self.calls: dict[str, CallSite] = {}

    def add(self, name: str, /) -> None:
        """Add a name."""
        super().add(name)
        self.calls.setdefault(name, self._who())

    def __ior__(self, names: Any) -> Self:  # type: ignore[override,misc] # noqa: ANN401 - as set
        for name in names:
            self.add(name)
        return self


@dataclass
class LeakTraces:
    """What left the application in one test."""

    test: CodeType | None = None
    texts: list[Trace] = field(default_factory=list)
    opened: _Noticed = field(init=False)
    """Files that were opened for writing."""
    renamed: _Noticed = field(init=False)
    """The names that files were given."""
    dropped: int = 0

    def __post_init__(self) -> None:
        self.opened, self.renamed = self._noticed(), self._noticed()

    def _noticed(self) -> _Noticed:
        return _Noticed(lambda: call_of(sys._getframe(3), self.test))  # noqa: SLF001 - fast

    def note(self, check: str, text: str, *, name: str = "", call: CallSite | None = None) -> None:
        """Keep a text; without a call it is the caller's on the stack."""
        call = call or call_of(sys._getframe(1), self.test)  # noqa: SLF001 - fast
        self.keep(Trace(check, text, call, name))

    def keep(self, trace: Trace) -> None:
        """Keep a text, as long as there are not too many."""
        if len(self.texts) < _MOST:
            self.texts.append(trace)
        else:
            self.dropped += 1


def exception_texts(error: BaseException) -> list[str]:
    """What an exception and its causes show: text, arguments, notes."""
    texts, waiting, known = [], [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in known:
            continue
        known.add(id(one))
        texts += [repr_of(one), repr_of(one.args), *map(str, getattr(one, "__notes__", ()))]
        with contextlib.suppress(Exception):  # a __str__ of the application may fail
            texts.append(str(one))
        waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
    return texts


def repr_of(value: object) -> str:
    """The repr of an object of the application, which may fail."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - any error of the application's own repr
        return ""
