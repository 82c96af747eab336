"""The report: each row of the fidelity table, and what the tenant says about it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mock_server.drift.answers import HIDDEN
from mock_server.drift.questions import QUESTIONS, Question
from mock_server.drift.seen import SeenExchanges
from mock_server.drift.shapes import differences
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import Options
from pytest_turris.core.unknowns.rows import Behaviour

_State = Literal["confirmed", "contradicted", "not seen"]


@dataclass(frozen=True)
class _Answer:
    """What was seen about one question.

    Args:
        question: The question.
        state: Whether the sandbox's default is confirmed.
        value: What was seen; None if nothing was.
    """

    question: Question
    state: _State
    value: object = None


@dataclass(frozen=True)
class RowReport:
    """One row of the fidelity table with its answers.

    Args:
        row: The row.
        answers: The answers to the questions about it.
    """

    row: Behaviour
    answers: tuple[_Answer, ...]

    @property
    def state(self) -> _State:
        """Contradicted if any answer contradicts it; confirmed if any confirms it."""
        states = {one.state for one in self.answers}
        if "contradicted" in states:
            return "contradicted"
        return "confirmed" if "confirmed" in states else "not seen"


@dataclass(frozen=True)
class DriftReport:
    """What a tenant says about every row; ``str()`` has no value of the tenant.

    Args:
        rows: All rows of the fidelity table.
        members: The differences in the members of answers.
        exchanges: How many exchanges were seen.
    """

    rows: tuple[RowReport, ...]
    members: tuple[str, ...]
    exchanges: int

    @classmethod
    def of(cls, seen: SeenExchanges) -> "DriftReport":
        """Return the report on what was seen."""
        answers = [_answer(question, seen) for question in QUESTIONS]
        rows = tuple(
            RowReport(row, tuple(one for one in answers if one.question.row is row))
            for row in FIDELITY
        )
        return cls(rows, tuple(differences(seen)), len(seen.exchanges))

    @property
    def options(self) -> dict[str, object]:
        """Return the options that would remove the contradictions."""
        return {
            one.question.option: one.value
            for row in self.rows
            for one in row.answers
            if one.state == "contradicted" and one.question.option and one.value != HIDDEN
        }

    @property
    def drifted(self) -> bool:
        """Whether anything contradicts the sandbox."""
        return bool(self.members) or any(row.state == "contradicted" for row in self.rows)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        # The most important comes last, because a terminal shows the end.
        states: tuple[_State, ...] = ("not seen", "confirmed", "contradicted")
        for state in states:
            yield from (f"{state}: {row.row.topic}: {row.row.what}" + _reasons(row)
                        for row in self.rows if row.state == state)  # fmt: skip
        yield from (f"members: {text}" for text in self.members)
        counts = (f"{sum(row.state == one for row in self.rows)} {one}" for one in states)
        yield (
            f"\n{self.exchanges} exchanges, {len(self.rows)} rows of the fidelity table: "
            f"{', '.join(counts)}"
        )
        if self.options:
            yield "\nWith these options in pytest.ini, the sandbox answers as the tenant does:"
            yield "[pytest]"
            yield from (f"turris_{name} = {_ini(value)}" for name, value in self.options.items())


def _answer(question: Question, seen: SeenExchanges) -> _Answer:
    value = question.answer(seen)
    if value is None:
        return _Answer(question, "not seen")
    expected = getattr(Options(), question.option) if question.option else True
    return _Answer(question, "confirmed" if value == expected else "contradicted", value)


def _reasons(row: RowReport) -> str:
    found = [one for one in row.answers if one.state == "contradicted"]
    texts = [
        f"{one.question.asks}: {_ini(one.value)}" if one.question.option else one.question.asks
        for one in found
    ]
    return f" [{'; '.join(texts)}]" if texts else ""


def _ini(value: object) -> str:
    if isinstance(value, dt.timedelta):
        return f"{value.total_seconds():g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
