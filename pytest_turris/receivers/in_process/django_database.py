"""Django's database of a test: which thread sees it, and how an application stays in it.

A test inside a transaction (pytest-django's ``db``, ``django.test.TestCase``) rolls back what its
connection wrote. A connection belongs to a thread, so an application in another thread would
neither see the test's rows nor be rolled back. Django is only used if it is imported already.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pytest_turris.core.errors import TurrisKitError

_Result = TypeVar("_Result")
_HANDLERS = "django.core.handlers."
_WRAPPED = ("app", "application", "_app", "wrapped", "wrapped_app", "inner")
_DEEPEST = 8


class TransactionError(TurrisKitError, RuntimeError):
    """The receiver would run in another thread than the transaction of the test."""


def transaction_is_open() -> bool:
    """Whether a connection of this thread is inside a transaction."""
    database, conf = map(sys.modules.get, ("django.db", "django.conf"))
    if database is None or conf is None or not conf.settings.configured:
        return False
    # Inside a loop Django shows other connections than those of the thread that it runs in.
    loop = asyncio._get_running_loop()  # noqa: SLF001 - what loops themselves use
    asyncio._set_running_loop(None)  # noqa: SLF001 - as above
    try:
        connections = database.connections.all(initialized_only=True)
        return any(connection.in_atomic_block for connection in connections)
    finally:
        asyncio._set_running_loop(loop)  # noqa: SLF001 - as above


@contextmanager
def kept_connections() -> Iterator[None]:
    """Keep Django from closing the connections of a test's transaction at the ends of a request.

    Its own test client does the same.
    """
    if not transaction_is_open():
        yield
        return
    from django.core import signals  # noqa: PLC0415 - it is loaded already
    from django.db import close_old_connections  # noqa: PLC0415 - as above

    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (signals.request_started, signals.request_finished):
            signal.connect(close_old_connections)


def in_this_thread(work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run a coroutine so that the synchronous code that it calls runs in this thread."""
    from asgiref.sync import async_to_sync  # noqa: PLC0415 - Django brings it

    with kept_connections():
        result: _Result = async_to_sync(work)()
    return result


def require_same_thread(app: object) -> None:
    """Refuse a Django application whose views would run in another thread than the test's rows.

    Raises:
        TransactionError: It would, because a loop runs in the thread of the transaction.
    """
    if transaction_is_open() and _is_django(app):
        raise TransactionError(
            "Django runs its views in another thread here, which does not see the transaction of "
            "this test: use pytest-django's transactional_db (or TransactionTestCase), or send "
            "from a synchronous test"
        )


def refuse_threads() -> None:
    """Refuse to call a receiver in other threads while a transaction of this test is open.

    Raises:
        TransactionError: One is open.
    """
    if transaction_is_open():
        raise TransactionError(
            "requests at the same time run in threads, which do not see the transaction of this "
            "test: use pytest-django's transactional_db (or TransactionTestCase)"
        )


def _is_django(app: object) -> bool:
    """Whether an application is Django's own handler, or wraps it."""
    for _ in range(_DEEPEST):
        if any(cls.__module__.startswith(_HANDLERS) for cls in type(app).__mro__):
            return True
        app = next((getattr(app, name) for name in _WRAPPED if hasattr(app, name)), None)
    return False
