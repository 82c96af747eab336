"""Sends changed requests through a door to one sandbox, and says what went wrong."""

from contextlib import AbstractContextManager
from random import Random  # noqa: TID251 - from a seed
from types import TracebackType
from typing import Self

from doubles.api_recipes import Sent, World

from fuzz.doors import DOORS, Answer, Door, NotSent
from fuzz.requests import changed
from pytest_turris.core.api.routes import OPERATIONS

_WHOLE_LOOKS = 50


class Fuzz(AbstractContextManager["Fuzz"]):
    """One sandbox behind one door.

    Args:
        seed: The same seed sends the same requests.
        door: A name of ``DOORS``.
    """

    def __init__(self, seed: int, door: str = "handle") -> None:
        self.random = Random(seed)
        self.world = World()
        self.world.sandbox.uploads.cancel(self.world.upload)
        self._door: Door = DOORS[door](self.world.sandbox)
        self.pristine = self.world.sandbox.snapshot()
        self._changes = self.world.sandbox.state.note_changes()
        self._goods = [self.world.request(operation) for operation in OPERATIONS]
        self._refused = 0
        self.unsent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._door.close()

    def changed(self) -> Sent:
        """The next request."""
        return changed(self._goods, self.random)

    def problem(self, sent: Sent) -> str:
        """What is wrong with the answer to a request; empty if nothing is."""
        sandbox = self.world.sandbox
        try:
            found = self._flaw(self._door.answer(sent))
        except NotSent:
            self.unsent += 1
            return ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not be raised
            found = f"raised {type(error).__name__}: {error}"[:300]
        if found or self._is_entity_noted():
            sandbox.restore(self.pristine)
        sandbox.limits.reset()
        sandbox.journal.clear()
        self._changes._marks.clear()
        self._changes.is_everything = False
        return found

    def _flaw(self, answer: Answer | None) -> str:
        if answer is None:
            may = self._door.may_be_silent and not self._has_changed()
            return "" if may else "no answer"
        if answer.status >= 500:
            return f"answered {answer.status}"
        if answer.status >= 400:
            if answer.document().get("statusCode") != answer.status:
                return "the refusal has another shape"
            if self._has_changed():
                return "the refusal changed the state"
        return ""

    def _has_changed(self) -> bool:
        """Whether records are others than before.

        A whole look takes ten times as long as a request: it is taken if a change was noted, and
        else once in 50 times, to find those that are not.
        """
        self._refused += 1
        if self._refused % _WHOLE_LOOKS and not self._is_entity_noted():
            return False
        return bool(self.world.sandbox.snapshot()["entity"] != self.pristine["entity"])

    def _is_entity_noted(self) -> bool:
        changes = self._changes
        return changes.is_everything or any(part.startswith("entity") for part, _ in changes._marks)
