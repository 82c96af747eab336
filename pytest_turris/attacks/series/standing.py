"""Whether a receiver accepts genuine webhooks: tested before and after each attack."""

import select
from dataclasses import dataclass, replace

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.description import answered
from pytest_turris.attacks.judging.answers import is_unavailable, limits_rates
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.sending.delivery import OTHER_LOOPBACK
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.series.causes import why_refused
from pytest_turris.attacks.step import AttackStep, Transmission, accepted
from pytest_turris.core.levels import Level
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.exchange import WebhookResponse
from pytest_turris.webhooks.signature import SignatureError

_MANY = 3
"""The number of forged webhooks after which a refusal of genuine ones may be a lock."""

_STRANGER = "198.51.100.7"
_SERVER = 500
_RESTART = 3.0
"""Seconds in which a supervisor restarts a server."""

_LIMITED = (
    "the receiver limits rates, and a refusal for that says nothing about signatures. Raise its "
    "limit for the test, or let reset=... clear what it counted"
)

_STOPPED = (
    "genuine webhooks have no effect since {}: what works in the background seems to have stopped "
    "at an event that it could not process, or new webhooks are taken for ones that were seen"
)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The response to a genuine webhook after an attack.

    Args:
        got: What is wrong with it, if the attack caused that; else empty.
        expected: What should have come.
        level: How serious it is.
        unseen: Why the attack could not be observed, if the receiver limits or locks.
        why: What goes wrong, if not what the attack says.
        fix: How to mend it, if not as the attack says.
    """

    got: str = ""
    expected: str = "to accept a genuine webhook right afterwards, and to act on it"
    level: Level = "must"
    unseen: str = ""
    why: str = ""
    fix: str = ""


_LOCKED = Aftermath(
    expected="to refuse who forges, and no other sender",
    level="should",
    why="Anyone who sends forgeries switches the receiver off, and genuine webhooks are lost.",
    fix="Count wrong signatures for each address, never for all together.",
)


class Standing:
    """The responses to genuine webhooks so far."""

    def __init__(self) -> None:
        self.cause: str = ""
        """Why they are refused; empty while they are accepted."""

        self.answered: bool = False
        """Whether there was any answer."""

        self.forged = 0
        """How many forged webhooks were refused so far."""

        self.effect_missing: bool = False
        """Whether genuine webhooks are accepted without an effect."""

        self.refusal: ReceiverResponse | None = None
        """The answer that ``cause`` explains."""

        self._met = False
        self._final = False
        self._stores: bool | None = None

    def meet(self, receiver: Receiver, context: AttackContext) -> None:
        """Send a genuine webhook, unless the last one was accepted, and set ``cause``.

        Raises:
            HookError: What ``effects`` gives changes without any webhook.
        """
        if (self._met and not self.cause) or (self._final and not receiver.resets):
            return
        if not self._met:
            receiver.require_still()
        step = accepted(context.genuine())
        before = receiver.effects()
        response = self.send(step, receiver)
        self._met, self.effect_missing = True, False
        if response.answer is None or not response.answer.accepted:
            cause = self.cause or _why(receiver, context, step, response)
            self.lose(cause, response, final=True)
        elif receiver.observed and receiver.effects(at_least=before + 1) == before:
            self.effect_missing = True
            self.lose(_no_effect(response.answer), response, final=True)
        else:
            self.cause, self._final = "", False

    def send(self, step: AttackStep, receiver: Receiver) -> ReceiverResponse:
        """Send a genuine webhook, and take its time into account if it is accepted."""
        response = receiver.send(step)[0]
        self.answered = self.answered or response.answer is not None
        if response.answer is not None and response.answer.accepted:
            receiver.pace.learn(response.seconds)
        return response

    def lose(self, cause: str, response: ReceiverResponse, *, final: bool) -> None:
        """Genuine webhooks are no longer accepted.

        Args:
            cause: Why.
            response: What the last one got.
            final: Whether another one makes no sense, unless the receiver is reset.
        """
        self.cause, self.refusal, self._final = cause, response, final

    def after(
        self,
        attack: Attack,
        receiver: Receiver,
        context: AttackContext,
        *,
        took_odd: bool = False,
    ) -> Aftermath:
        """Send a genuine webhook after an attack.

        Args:
            attack: The attack.
            receiver: What it was fired at.
            context: Builds the webhook.
            took_odd: Whether something was accepted that a receiver may also refuse: it may have
                stopped what works in the background, so that an effect is waited for.
        """
        step = accepted(context.genuine(), effects="any")
        before = receiver.effects() if took_odd else 0
        response = self.send(step, receiver)
        if response.answer is not None and response.answer.accepted:
            if took_odd and receiver.observed and receiver.effects(at_least=before + 1) == before:
                self.effect_missing = True
                self.lose(_STOPPED.format(attack.label), response, final=True)
                return Aftermath(got=f"{response.answer.status_code}, and nothing done")
            return Aftermath()
        got = answered(response.answer, context.key, response.reason)
        if response.answer is None:
            back = receiver.is_url and self._comes_back(receiver, context)
            if not back:
                why = _why(receiver, context, step, response)
                self.lose(f"gone since {attack.label}: {why}", response, final=True)
            return Aftermath(got=f"{got}{'; it came back later' if back else ''}")
        status = response.answer.status_code
        cause = f"{status} to genuine webhooks since {attack.label}"
        if limits_rates(response.answer):
            cause = limited(response.answer, since=attack.label)
        elif self.forged >= _MANY and (status < _SERVER or is_unavailable(response.answer)):
            cause += (
                f", after {self.forged} forged ones: it seems to lock, or to limit rates. Raise "
                "its limit for the test, or let reset=... clear what it counted"
            )
        else:
            self.lose(cause, response, final=False)
            return Aftermath(got=got)
        self.lose(cause, response, final=True)
        if self.forged >= _MANY and self._refuses_everyone(receiver, context):
            got += f", from another address too, after {self.forged} forged ones"
            return replace(_LOCKED, got=got, unseen=cause)
        return Aftermath(unseen=cause)

    def _refuses_everyone(self, receiver: Receiver, context: AttackContext) -> bool:
        """Whether a genuine webhook from an address that forged nothing is refused too."""
        if context.hooks.allowed_ip:
            return False  # no other address is let in anyway
        other = OTHER_LOOPBACK if receiver.is_url else _STRANGER
        elsewhere = Transmission(peer=other)
        step = accepted(context.genuine(), effects="any", transmission=elsewhere)
        try:
            answer = receiver.send(step)[0].answer
        except NotApplicableError:  # through a client the address cannot be chosen
            return False
        return answer is not None and not answer.accepted

    def stores_bodies(self, receiver: Receiver, context: AttackContext) -> bool:
        """Whether a signed body that is not JSON is accepted: stored, and looked at later."""
        if self._stores is None:
            try:
                step = accepted(context.sign(b"turris: no JSON"), effects="any")
            except SignatureError:  # the scheme signs a member of the body
                self._stores = False
            else:
                answer = receiver.send(step)[0].answer
                self._stores = answer is not None and answer.accepted
        return self._stores

    def _comes_back(self, receiver: Receiver, context: AttackContext) -> bool:
        """Whether a genuine webhook is accepted again within some seconds."""
        deadline = steady_time() + _RESTART
        while steady_time() < deadline:
            select.select([], [], [], 0.1)  # time travel does not move it
            response = self.send(accepted(context.genuine(), effects="any"), receiver)
            if response.answer is not None:
                return response.answer.accepted
            if response.silent:
                return False
        return False


def limited(answer: WebhookResponse, *, since: str) -> str:
    """Say that a receiver limits rates.

    Args:
        answer: What a request got.
        since: The attack in which it began.
    """
    again = answer.headers.get("retry-after", "")
    after = f", Retry-After: {again}" if again else ""
    return f"{answer.status_code}{after} since {since}: {_LIMITED}"


def _no_effect(answer: WebhookResponse) -> str:
    return (
        f"{answer.status_code} to a genuine webhook, but effects counted nothing: name the events "
        "that the receiver acts on (events=...), count what they change, or empty a store that "
        "knows this webhook from an earlier run"
    )


def _why(
    receiver: Receiver, context: AttackContext, step: AttackStep, response: ReceiverResponse
) -> str:
    if response.answer is not None and limits_rates(response.answer):
        return limited(response.answer, since="the first webhook")
    return why_refused(receiver, step, response, context.key)
