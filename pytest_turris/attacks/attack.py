"""What an attack is: data about it, and the steps that it fires at a receiver."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from pytest_turris.core.levels import Level
from pytest_turris.core.text.docs_links import page

if TYPE_CHECKING:
    from pytest_turris.attacks.context import AttackContext
    from pytest_turris.attacks.step import AttackStep

AttackSteps: TypeAlias = Callable[["AttackContext"], Iterator["AttackStep"]]
Family = Literal["signature", "keys", "body", "payload", "replay", "transport", "events"]
DeliveryMode = Literal["anywhere", "in process", "socket"]
Subject = Literal["receiver", "server"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attack:
    """One attack of the catalogue.

    Args:
        id: ``WH-05``; never used for anything else.
        title: A few words, joined by hyphens as in the id of its test.
        family: Which page of the docs it is on.
        level: ``must`` fails the test, ``should`` warns, ``info`` is written down. ``must``:
            a sender without the key gains something, or a webhook that the documented sender
            sends is lost, or an unauthenticated request breaks the receiver.
        about: Whose work it shows: the receiver's, or its server's or parser's alone.
        quick: Whether it is in the profile for every run.
        comes_late: Whether what it provokes may come long after the answer. A series begins with
            such attacks, to see more of it.
        delivery: Where it can be sent to.
        does: What the sender does.
        wants: What the receiver has to do.
        why: What an attacker gains otherwise.
        fix: How to mend a receiver.
        source: Where the attack is known from.
        steps: Fires it; raises NotApplicableError where it cannot.
    """

    id: str
    title: str
    family: Family
    level: Level
    about: Subject
    quick: bool
    comes_late: bool
    delivery: DeliveryMode
    does: str
    wants: str
    why: str
    fix: str
    source: str
    steps: AttackSteps

    @property
    def label(self) -> str:
        """``WH-05-wrong-same-length``, as in test ids."""
        return f"{self.id}-{self.title}"

    @property
    def help_uri(self) -> str:
        """The attack on the page of its family."""
        return page(f"attacks/{self.family}", self.label.lower())


class Catalogue:
    """The attacks of one family, in the order in which they are written down."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self.attacks: list[Attack] = []

    def attack(
        self,
        id_: str,
        title: str,
        *,
        does: str,
        wants: str,
        why: str,
        fix: str,
        source: str,
        level: Level = "must",
        about: Subject = "receiver",
        quick: bool = False,
        comes_late: bool = False,
        delivery: DeliveryMode = "anywhere",
    ) -> Callable[[AttackSteps], AttackSteps]:
        """Enter a generator of steps into the catalogue."""

        def enter(steps: AttackSteps) -> AttackSteps:
            self.attacks.append(
                Attack(
                    id=id_,
                    title=title,
                    family=self._family,
                    level=level,
                    about=about,
                    quick=quick,
                    comes_late=comes_late,
                    delivery=delivery,
                    does=does,
                    wants=wants,
                    why=why,
                    fix=fix,
                    source=source,
                    steps=steps,
                )
            )
            return steps

        return enter
