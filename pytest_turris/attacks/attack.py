"""What an attack is: data about it, and the shots that it fires at a receiver."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_turris.core.docs_links import page
from pytest_turris.core.levels import Level
from pytest_turris.receivers.exchange import HERE
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.signed import SignedWebhook

if TYPE_CHECKING:
    from pytest_turris.attacks.context import Forge

Family = Literal["signature", "keys", "body", "payload", "replay", "transport", "events"]
Delivery = Literal["anywhere", "in process", "socket"]
Answers = Literal["accept", "refuse", "either", "not accept", "fail"]
Effects = Literal["none", "some", "any", "same", "at most", "first"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """One delivery of an attack, and what a good receiver makes of it.

    Args:
        webhook: What is sent.
        answers: ``accept`` is 2xx, ``refuse`` 4xx, ``either`` both of them, ``not accept`` 3xx
            or 4xx, ``fail`` is anything but 2xx. Elsewhere a 5xx is never right.
        effects: What the receiver does: nothing, something, whatever, as much as at the shot
            before (``same``), at most that, or something unless an earlier shot did (``first``).
        believes: The status that the receiver must have stored afterwards; empty does not ask.
        label: Which variant this is, where an attack has several.
        method: The HTTP method.
        path: From the receiver's path to the one that is asked for.
        raw: Makes the request's bytes of host and path, for what no client library sends.
        raw_only: There is no way to send it into an application in this process.
        socket_only: The same, but the attack has other shots that can be.
        unfinished: The request never ends: how much was written before the answer is noted.
        split_at: Where the body is cut in two, in process.
        copies: How many are sent at once.
        peer: The address that it comes from, in process.
        target: Another receiver than the one under attack, such as one with other keys.
        like_wrong: The answer must not differ from the one to a wrong signature.
        may_hang_up: To close the connection is to refuse; to keep silent is not.
        plain: It is about HTTP without TLS.
        compared: How the receiver compares the signature is watched.
        beside: The raw request stays open while the webhook is sent on another connection.
    """

    webhook: SignedWebhook
    answers: Answers
    effects: Effects
    label: str = ""
    method: str = "POST"
    path: Callable[[str], str] | None = None
    raw: Callable[[str, str], RawPost] | None = None
    raw_only: bool = False
    socket_only: bool = False
    unfinished: bool = False
    split_at: int = 0
    copies: int = 1
    peer: str = HERE
    target: object = None
    like_wrong: bool = False
    may_hang_up: bool = False
    plain: bool = False
    compared: bool = False
    beside: bool = False
    believes: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attack:
    """One attack of the catalogue.

    Args:
        id: ``WH-05``; never used for anything else.
        title: A few words, joined by hyphens as in the id of its test.
        family: Which page of the docs it is on.
        level: ``must`` fails the test, ``should`` warns, ``info`` is written down.
        quick: Whether it is in the profile for every run.
        delivery: Where it can be sent to.
        does: What the sender does.
        wants: What the receiver has to do.
        why: What an attacker gains otherwise.
        fix: How to mend a receiver.
        source: Where the attack is known from.
        shots: Fires it; raises NotApplicable where it cannot.
    """

    id: str
    title: str
    family: Family
    level: Level
    quick: bool
    delivery: Delivery
    does: str
    wants: str
    why: str
    fix: str
    source: str
    shots: "Callable[[Forge], Iterator[Shot]]"

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
        quick: bool = False,
        delivery: Delivery = "anywhere",
    ) -> "Callable[[Callable[[Forge], Iterator[Shot]]], Callable[[Forge], Iterator[Shot]]]":
        """Enter a generator of shots into the catalogue."""

        def enter(
            shots: "Callable[[Forge], Iterator[Shot]]",
        ) -> "Callable[[Forge], Iterator[Shot]]":
            self.attacks.append(
                Attack(
                    id=id_,
                    title=title,
                    family=self._family,
                    level=level,
                    quick=quick,
                    delivery=delivery,
                    does=does,
                    wants=wants,
                    why=why,
                    fix=fix,
                    source=source,
                    shots=shots,
                )
            )
            return shots

        return enter


def accepted(webhook: SignedWebhook, label: str = "", effects: Effects = "some") -> Shot:
    """A genuine delivery, which a good receiver acts on."""
    return Shot(webhook=webhook, answers="accept", effects=effects, label=label)


def refused(webhook: SignedWebhook, label: str = "", *, like_wrong: bool = False) -> Shot:
    """A forgery, which a good receiver refuses without a trace."""
    return Shot(
        webhook=webhook, answers="refuse", effects="none", label=label, like_wrong=like_wrong
    )


def survived(webhook: SignedWebhook, label: str = "", effects: Effects = "any") -> Shot:
    """A delivery that a good receiver may take or refuse, and must not stumble over."""
    return Shot(webhook=webhook, answers="either", effects=effects, label=label)
