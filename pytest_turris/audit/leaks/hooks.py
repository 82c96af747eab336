"""Taps for exceptions that are not caught: in threads, and where the interpreter ignores them."""

import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

from pytest_turris.audit.leaks.traces import exception_texts
from pytest_turris.audit.places import CallSite, is_of_application
from pytest_turris.process.patch import Replacement

REHEARSED: Final = object()
"""An argument of exceptions that carry a canary: the hooks note them, and do not report them."""


def site_of(trace: TracebackType | None) -> CallSite:
    """Where the application raised an exception: its innermost frame in the traceback."""
    call = CallSite(None, 0, -1)
    while trace is not None:
        code = trace.tb_frame.f_code
        if is_of_application(code.co_filename):
            call = CallSite(code, trace.tb_lineno, -1)
        trace = trace.tb_next
    return call


def hook_taps(note: Callable[..., None]) -> list[Replacement]:
    """Replacements that note each exception that reaches a hook of the interpreter."""

    def hook(original: Callable[..., None]) -> Callable[..., None]:
        def hooked(args: Any) -> None:  # noqa: ANN401 - what the hook gets has no public type
            error = args.exc_value
            texts, call = exception_texts(error), site_of(args.exc_traceback)
            note("LK-04", "\n".join(texts), name=type(error).__name__, call=call)
            if not any(one is REHEARSED for one in error.args):
                original(args)

        return hooked

    return [(threading, "excepthook", hook), (sys, "unraisablehook", hook)]
