"""One step of an attack: what is sent, how, and what a good receiver does with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypedDict, Unpack

from pytest_turris.attacks.description import Oracle
from pytest_turris.core.levels import Level
from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.receivers.raw_socket import RawPost
from pytest_turris.webhooks.signed import SignedWebhook

Answers = Literal["accept", "refuse", "either", "not accept", "fail", "any"]
Effects = Literal["none", "some", "any", "same", "at most", "first"]


class UnobservedError(Exception):
    """Raised inside an attack whose rest cannot be observed; the text is the reason.

    What was found before stays: without findings the outcome is "not observed".
    """


class NotStartedError(UnobservedError):
    """The receiver was started again, and does not answer: no webhook has done that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Transmission:
    """How the webhook of a step is sent.

    Args:
        method: The HTTP method.
        change_path: Turns the receiver's path into the path to request.
        host: The ``Host`` to name; the receiver's own unless given.
        raw: Over a socket: builds the bytes to write, given host and path, for requests that no
            client library sends.
        socket_only: The step is left out in process; the other steps of its attack are sent.
        never_ends: The request ends only if there was no answer before its end. An answer that
            came later, and is the one to a wrong signature, shows that all of it was taken.
        alongside: Over a socket: builds a request that stays open on another connection
            while the webhook is sent.
        among: Over a socket: webhooks that others have just sent, and wait for their answers.
        among_genuine: With ``among``: genuine ones that are sent in their place, and answered, if
            the answer came late. On a busy machine it then comes as late.
        split_at: An ASGI application gets the body in two messages, cut here; 0 does not cut it.
        copies: How many copies are sent at once; for 0 nothing is sent, and it is only waited.
        peer: The address that the request comes from: any in process; over a socket 127.0.0.2
            at most.
        target: Another receiver than the one under attack, such as one with other keys.
        exact_names: A function is called with the names of headers as they are written here, and
            in no other letters.
        plain_http: The step is about HTTP without TLS: it does not apply to an HTTPS URL.
        takes_long: Whether much work is asked for, so that it is waited for as long as Turris does.
        watch_memory: Whether the memory of the receiver's process is watched meanwhile.
    """

    method: str = "POST"
    change_path: Callable[[str], str] | None = None
    host: str = ""
    raw: Callable[[str, str], RawPost] | None = None
    socket_only: bool = False
    never_ends: bool = False
    alongside: Callable[[str, str], RawPost] | None = None
    among: tuple[SignedWebhook, ...] = ()
    among_genuine: tuple[SignedWebhook, ...] = ()
    split_at: int = 0
    copies: int = 1
    peer: str = LOOPBACK
    target: object = None
    exact_names: bool = False
    plain_http: bool = False
    takes_long: bool = False
    watch_memory: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedBehaviour:
    """What a good receiver does with the webhook of a step.

    Args:
        answers: ``accept`` is 2xx, ``refuse`` 4xx, ``either`` one of these, ``not accept`` 3xx
            or 4xx, ``fail`` anything but 2xx, ``any`` whatever it is. 501 refuses another method
            than POST. Except for ``fail`` and ``any``, any other 5xx is wrong.
        effects: How many effects there are: ``none``, ``some`` (at least one), ``any`` (it does
            not matter), ``same`` (as many as in the step before), ``at most`` (no more than in
            the step before), or ``first`` (at least one, unless an earlier step had effects).
        refusals: Statuses that are fine besides, and then have no effect.
        may_store: 2xx counts as refusing if there was no effect. For a receiver that answers 2xx
            to a signed body that is not JSON, it always does: it stores what it gets, and looks
            later.
        same_as_wrong_signature: The response equals the response to a wrong signature.
        may_hang_up: Closing the connection counts as refusing; silence does not.
        may_stay_silent: No answer is fine, whatever the reason.
        watch_comparison: Whether signatures are compared in constant time is watched.
        stored_status: The compliance status that the receiver has stored afterwards; empty does
            not check it.
        within: The seconds in which the answer comes, besides what the receiver takes for a
            genuine webhook; 0 for as long as any answer may take.
        patience: For how many seconds an effect is waited for, whether one is expected or not,
            unless the webhook was not accepted; 0 waits a moment for effects that are expected.
    """

    answers: Answers
    effects: Effects
    refusals: tuple[int, ...] = ()
    may_store: bool = False
    same_as_wrong_signature: bool = False
    may_hang_up: bool = False
    may_stay_silent: bool = False
    watch_comparison: bool = False
    stored_status: str = ""
    within: float = 0.0
    patience: float = 0.0


class Judgement(TypedDict, total=False):
    """How serious a finding of a step is, if that differs from its attack.

    Args:
        level: Of a wrong answer or effect.
        effects_level: Of a wrong effect, if not as of a wrong answer.
        crash_level: Of an answer 5xx, or of none: see ``AttackStep``.
        why: What goes wrong then.
        fix: How to mend that.
    """

    level: Level
    effects_level: Level
    crash_level: Level
    why: str
    fix: str


_NORMAL = Transmission()


@dataclass(frozen=True, kw_only=True, slots=True)
class StepOutcome:
    """The result of a step.

    Args:
        answer: The receiver's answer; None if there was none.
        effects: How many effects there were; None if effects are not observed.
        memory: By how many bytes the receiver's memory grew; None if that was not observed.
        snapshot: What ``effects`` gave afterwards: a number, or rows; None if there is no probe.
    """

    answer: WebhookResponse | None
    effects: int | None
    memory: int | None = None
    snapshot: object = None

    @property
    def accepted(self) -> bool:
        """Whether the answer is 2xx."""
        return self.answer is not None and self.answer.accepted


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that an attack itself finds in the result of a step.

    Args:
        got: What the receiver did.
        expected: What it should have done.
        oracle: How it was noticed.
        level: How serious it is; the step's or the attack's level unless given.
    """

    got: str
    expected: str
    oracle: Oracle = "effects"
    level: Level | None = None


Examine = Callable[[StepOutcome], Iterable[Trouble]]


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackStep:
    """One step of an attack.

    Args:
        webhook: What is sent.
        expected: What a good receiver does with it.
        transmission: How it is sent.
        label: The name of this variant, where an attack has several.
        level: The level of a wrong answer or effect, if not the attack's.
        effects_level: The level of a wrong effect, if not that of a wrong answer.
        crash_level: The level of an answer 5xx, or of none; unless given ``must``, or ``info`` if
            the attack is about a server.
        why: What goes wrong, if not what the attack says.
        fix: How to mend it, if not as the attack says.
        examine: Looks at the result of the step, after all oracles; it returns further findings.
        enough: Whether the attack is over if this step finds something.
    """

    webhook: SignedWebhook
    expected: ExpectedBehaviour
    transmission: Transmission = _NORMAL
    label: str = ""
    level: Level | None = None
    effects_level: Level | None = None
    crash_level: Level | None = None
    why: str = ""
    fix: str = ""
    examine: Examine | None = None
    enough: bool = False

    def examined(self, examine: Examine) -> "AttackStep":
        """Return the step with a function that examines its result."""
        return replace(self, examine=examine)


def accepted(
    webhook: SignedWebhook,
    label: str = "",
    *,
    effects: Effects = "some",
    within: float = 0.0,
    transmission: Transmission = _NORMAL,
    **judgement: Unpack[Judgement],
) -> AttackStep:
    """A genuine webhook: a good receiver accepts it and acts on it."""
    expected = ExpectedBehaviour(answers="accept", effects=effects, within=within)
    return AttackStep(
        webhook=webhook, expected=expected, transmission=transmission, label=label, **judgement
    )


def refused(
    webhook: SignedWebhook,
    label: str = "",
    *,
    may_store: bool = False,
    same_as_wrong_signature: bool = False,
    may_hang_up: bool = False,
    watch_comparison: bool = False,
    transmission: Transmission = _NORMAL,
    **judgement: Unpack[Judgement],
) -> AttackStep:
    """A forged webhook: a good receiver refuses it and does nothing."""
    expected = ExpectedBehaviour(
        answers="refuse",
        effects="none",
        may_store=may_store,
        same_as_wrong_signature=same_as_wrong_signature,
        may_hang_up=may_hang_up,
        watch_comparison=watch_comparison,
    )
    return AttackStep(
        webhook=webhook, expected=expected, transmission=transmission, label=label, **judgement
    )


def tolerated(
    webhook: SignedWebhook,
    label: str = "",
    *,
    effects: Effects = "any",
    may_hang_up: bool = False,
    stored_status: str = "",
    transmission: Transmission = _NORMAL,
    **judgement: Unpack[Judgement],
) -> AttackStep:
    """A webhook that a good receiver may accept or refuse, but that must not make it fail."""
    expected = ExpectedBehaviour(
        answers="either", effects=effects, may_hang_up=may_hang_up, stored_status=stored_status
    )
    return AttackStep(
        webhook=webhook, expected=expected, transmission=transmission, label=label, **judgement
    )
