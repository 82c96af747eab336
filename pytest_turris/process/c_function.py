"""Built-in functions of CPython, replaced for everything that holds them.

``from time import sleep as nap``, a partial, a default argument and a class attribute all hold the
same object. So the object itself is changed, as time-machine does it in C: it is made to call a
Python function.
"""

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import BuiltinFunctionType
from typing import Any, ClassVar

from pytest_turris.core.errors import TurrisKitError

_HEAD = object.__basicsize__
_NOARGS, _ONE, _VARARGS = 0x4, 0x8, 0x1
_CALLS = {_NOARGS: "PyObject_CallNoArgs", _ONE: "PyObject_CallOneArg",
          _VARARGS: "PyObject_CallObject"}  # fmt: skip
"""For each calling convention, the function of the C API that calls a Python function by it."""


class CFunctionError(TurrisKitError, RuntimeError):
    """This Python stores its built-in functions differently from CPython."""


class _Method(ctypes.Structure):
    """CPython's ``PyMethodDef``."""

    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("call", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    ]


class CFunctionPatch(AbstractContextManager[None]):
    """Makes a built-in function call a Python function, while the context is open.

    Args:
        function: A function of a built-in module, such as ``time.sleep``.
        wrap: Gets another object for the same C function, which stays as it is; returns what is
            called in its place.

    Raises:
        CFunctionError: This Python is not CPython, or takes the arguments in another way.
    """

    def __init__(
        self, function: Callable[..., Any], wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        self._fields = (ctypes.c_void_p * 2).from_address(id(function) + _HEAD)
        self._before = tuple(self._fields) if type(function) is BuiltinFunctionType else (0, 0)
        if self._before[1] != id(getattr(function, "__self__", None)):
            raise CFunctionError(f"{function!r} cannot be replaced in this Python: use CPython")
        method = _Method.from_address(self._before[0])
        name = _CALLS.get(method.flags & 0xF)
        if name is None:  # pragma: no cover - no function of the time module is of another kind
            raise CFunctionError(f"{function!r} takes its arguments in a way that is not known")
        call = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        self._method = _Method(method.name, call, method.flags, method.doc)
        self._replacement = wrap(_copy(function, self._before[0]))

    def __enter__(self) -> None:
        # The function object owns what is in the second field, even if it is freed meanwhile.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._replacement))
        # Both fields in one step of the interpreter: another thread may call it at any moment.
        self._fields[:] = [ctypes.addressof(self._method), id(self._replacement)]

    def __exit__(self, *_: object) -> None:
        self._fields[:] = list(self._before)
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(self._replacement))


def _copy(function: Callable[..., Any], method: int) -> Callable[..., Any]:
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype = ctypes.py_object
    make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    module = getattr(function, "__self__", None)
    return make(method, module, function.__module__)  # type: ignore[no-any-return] # a C function
