"""Waits that end by themselves, and at once: a thread in one is at work, however long it stays.

A busy machine may leave a thread for long where it was, though what it waited for has happened.
"""

import contextlib
import ctypes
import sys
from functools import cache
from typing import ClassVar

from pytest_turris.process.system_calls import FUTEX

_WITH_SYMBOL = 1
"""Asks the loader for the symbol too, whose size it knows."""


class _Place(ctypes.Structure):
    """The loader's ``Dl_info``."""

    _fields_: ClassVar = [
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    ]


class _Symbol(ctypes.Structure):
    """The loader's ``Elf64_Sym``."""

    _fields_: ClassVar = [
        ("name", ctypes.c_uint32),
        ("info", ctypes.c_uint8),
        ("other", ctypes.c_uint8),
        ("section", ctypes.c_uint16),
        ("value", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
    ]


def goes_on(call: list[str]) -> bool:
    """Whether a thread waits for a lock of the interpreter, or for one that was released.

    Args:
        call: Its system call. False for all that wait for no lock.
    """
    if not FUTEX or call[:1] != [FUTEX]:
        return False
    address, expected = int(call[1], 16), int(call[3], 16)
    return address in _runtime() or _word_at(address) not in (None, expected & 0xFFFF_FFFF)


@cache
def _runtime() -> range:
    """The addresses of CPython's own state, with its lock; empty if they are not known.

    The locks of Python code are elsewhere.
    """
    place, symbol = ctypes.byref(_Place()), ctypes.POINTER(_Symbol)()
    with contextlib.suppress(AttributeError, ValueError):  # no CPython, or a loader without it
        state = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
        find = ctypes.CDLL(None).dladdr1
        if find(ctypes.c_void_p(state), place, ctypes.byref(symbol), _WITH_SYMBOL):
            return range(state, state + symbol.contents.size)
    return range(0)


def _word_at(address: int) -> int | None:
    """The word by which threads wait for each other; None if it cannot be read.

    The system wakes a thread when it changes, and the thread runs some time after that.
    """
    try:
        # Not by its address: by now the memory may be freed.
        with open("/proc/self/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - of the system
            memory.seek(address)
            return int.from_bytes(memory.read(4), sys.byteorder)
    except (OSError, OverflowError):
        return None
