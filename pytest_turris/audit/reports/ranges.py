"""Lists of ids in few words: ``WH-01 to WH-04, WH-06``."""

from collections.abc import Iterable, Iterator

_SHORTEST = 3
"""Fewer ids in a row are written out."""


def ranges(ids: Iterable[str]) -> Iterator[str]:
    """The ids in their order, those that follow each other as a range.

    Args:
        ids: Ids such as ``WH-05``, each once.
    """
    run: list[str] = []
    for id_ in sorted(ids, key=_place):
        if run and _place(id_) != _next(run[-1]):
            yield from _written(run)
            run = []
        run.append(id_)
    yield from _written(run)


def _written(run: list[str]) -> list[str]:
    return [f"{run[0]} to {run[-1]}"] if len(run) >= _SHORTEST else run


def _place(id_: str) -> tuple[str, int]:
    kind, _, number = id_.partition("-")
    return kind, int(number)


def _next(id_: str) -> tuple[str, int]:
    kind, number = _place(id_)
    return kind, number + 1
