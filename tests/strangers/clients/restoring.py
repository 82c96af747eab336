"""Puts back what a client left behind in the process, so that no other test sees it."""

import builtins
import contextlib
import locale
import logging
import os
import random
import socket
import ssl
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_PLACES: tuple[tuple[Any, str], ...] = (
    (builtins, "print"),
    (ssl, "_create_default_https_context"),
    (sys, "excepthook"),
    (sys, "stdout"),
    (sys, "stderr"),
    (urllib.request, "_opener"),
)


@contextlib.contextmanager
def process_restored() -> Iterator[None]:
    """Run a client in an empty working directory, and put the process back afterwards.

    A module that was imported for the first time stays: many cannot be imported twice.
    """
    kept = [
        _environment(),
        _modules(),
        _loggers(),
        *(_attribute(holder, name) for holder, name in _PLACES),
        _value(socket.getdefaulttimeout, socket.setdefaulttimeout),
        _value(random.getstate, random.setstate),
        _value(
            lambda: locale.setlocale(locale.LC_ALL),
            lambda name: locale.setlocale(locale.LC_ALL, name),
        ),
        _value(_umask, os.umask),
    ]
    directory = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="turris-client-") as empty:
        os.chdir(empty)
        try:
            yield
        finally:
            os.chdir(directory)
            for restore in kept:
                restore()


def _environment() -> Callable[[], object]:
    before = dict(os.environ)

    def restore() -> None:
        zone = os.environ.get("TZ")
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
        if zone != before.get("TZ"):
            time.tzset()

    return restore


def _modules() -> Callable[[], object]:
    before = dict(sys.modules)
    return lambda: sys.modules.update(before)


def _loggers() -> Callable[[], object]:
    """Levels and handlers; of loggers that are new, too."""

    def all_loggers() -> list[logging.Logger]:
        named = list(logging.root.manager.loggerDict.values())
        return [logging.root, *(each for each in named if isinstance(each, logging.Logger))]

    before = {each: (each.level, each.disabled, each.handlers[:]) for each in all_loggers()}
    off = logging.root.manager.disable

    def restore() -> None:
        logging.disable(off)
        for each in all_loggers():
            level, each.disabled, handlers = before.get(each, (logging.NOTSET, False, []))
            each.setLevel(level)
            each.handlers[:] = handlers

    return restore


def _attribute(holder: Any, name: str) -> Callable[[], object]:
    before = getattr(holder, name)
    return lambda: setattr(holder, name, before)


def _value(get: Callable[[], Any], put: Callable[[Any], object]) -> Callable[[], object]:
    before = get()
    return lambda: put(before)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
