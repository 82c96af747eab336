"""Variables of ``os.environ``, set while a context is open."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager


class EnvironmentVariables(AbstractContextManager[None]):
    """Sets variables, removes each variable that maps to None, and restores all afterwards.

    Every test enters one: as a generator it would take twice as long.
    """

    def __init__(self, variables: Mapping[str, str | None]) -> None:
        self._variables = variables
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        for name in self._variables:
            try:
                self._before[name] = os.environ[name]  # ``get`` takes longer
            except KeyError:
                self._before[name] = None
        try:
            _set(self._variables)
        except BaseException:
            _set(self._before)
            raise

    def __exit__(self, *_: object) -> None:
        _set(self._before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            _remove(name)
        else:
            os.environ[name] = value


def _remove(name: str) -> None:
    try:
        del os.environ[name]  # without reading it first, as ``pop`` does
    except KeyError:
        return
