"""Fires an attack at a receiver and holds what happens against the oracles."""

from contextlib import closing
from dataclasses import replace

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.description import Oracle, answered
from pytest_turris.attacks.effects import PATIENCE
from pytest_turris.attacks.judging.answers import is_unavailable, limits_rates
from pytest_turris.attacks.judging.case import Case
from pytest_turris.attacks.judging.constant_time import Tripwire, spy
from pytest_turris.attacks.judging.judge import Judge, Responses
from pytest_turris.attacks.receiver import OutOfTimeError, Receiver, with_header
from pytest_turris.attacks.series.standing import Standing, limited
from pytest_turris.attacks.step import AttackStep, NotStartedError, UnobservedError, accepted
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.errors import MissingHookError, NotApplicableError
from pytest_turris.findings.verdict import Outcome, Verdict
from pytest_turris.process.output import captured_output
from pytest_turris.webhooks.signature import SignatureError

_TRIES = 3
"""How often a receiver has to be slow before it is called so."""

OUT_OF_TIME = "the time for all attacks together was over"


class LimitedError(UnobservedError):
    """The receiver limits rates, so that nothing can be said about this attack."""


def run_attack(
    attack: Attack, receiver: Receiver, context: AttackContext, standing: Standing | None = None
) -> Verdict:
    """What comes of one attack on a receiver.

    A genuine webhook is sent first. If it is not accepted, the attack is not observed, for one
    reason; WH-01 fails for it. Then seven oracles are asked: effects, the status, the time, that
    refusals look alike, that nothing leaks, that the signature is verified before the body is
    parsed, and that a genuine webhook is accepted afterwards.

    Args:
        attack: The attack.
        receiver: The receiver.
        context: Builds what is sent.
        standing: What is known about the receiver from attacks before; nothing unless given.
    """
    __tracebackhide__ = True
    standing = standing or Standing()
    receiver.come_from(context.hooks.allowed_ip)
    try:
        context.require_applicable(attack.id)
        receiver.reset()
        standing.meet(receiver, context)
        if standing.cause:
            return _unmet(attack, receiver, context, standing)
        case = _fired(attack, receiver, context, standing)
        tries = 1
        while case.slow and tries < _TRIES:
            receiver.reset()
            case.drop_slow(_fired(attack, receiver, context, standing).slow)
            tries += 1
    except NotApplicableError as reason:
        outcome: Outcome = "not observed" if isinstance(reason, MissingHookError) else "skipped"
        return Verdict(check=attack, outcome=outcome, reason=str(reason))
    except SignatureError as reason:
        words = f"the scheme cannot sign such a body: {reason}"
        return Verdict(check=attack, outcome="skipped", reason=words)
    except OutOfTimeError:
        return Verdict(check=attack, outcome="not observed", reason=OUT_OF_TIME)
    return case.verdict()


def _fired(attack: Attack, receiver: Receiver, context: AttackContext, standing: Standing) -> Case:
    """Fire an attack once."""
    runner = AttackRunner(attack, receiver, context, standing)
    runner.run()
    return runner.case


def _unmet(
    attack: Attack, receiver: Receiver, context: AttackContext, standing: Standing
) -> Verdict:
    """The verdict on a receiver that does not accept genuine webhooks, or does nothing then."""
    if attack.id != "WH-01" or standing.refusal is None:
        return Verdict(check=attack, outcome="not observed", reason=standing.cause)
    case = Case(attack=attack, receiver=receiver, key=context.key)
    if standing.effect_missing:
        got, expected = counted(0, "effect"), "something done"
    else:
        got = answered(standing.refusal.answer, context.key, standing.refusal.reason)
        expected = "2xx"
    oracle: Oracle = "effects" if standing.effect_missing else "status"
    case.find(oracle, accepted(context.genuine()), got, expected, fix=standing.cause)
    return case.verdict()


class AttackRunner:
    """One attack under way."""

    def __init__(
        self, attack: Attack, receiver: Receiver, context: AttackContext, standing: Standing
    ) -> None:
        self.case: Case = Case(attack=attack, receiver=receiver, key=context.key)
        self._attack = attack
        self._receiver = receiver
        self._context = replace(context, is_function=receiver.is_function, settles=receiver.settles)
        self._standing = standing
        self._judge = Judge(self.case, receiver, context, standing)
        self._took_odd = False
        self._effects = 0

    def run(self) -> None:
        """Send the attack's steps, then a genuine webhook; what is wrong becomes a finding."""
        if self._attack.delivery == "socket" and not self._receiver.is_url:
            raise NotApplicableError("it is about a server: run it against a URL on this machine")
        log = self._context.hooks.log or str
        begin = len(log())
        may_harm = True
        with captured_output() as heard:
            try:
                # Closed at once: an attack may hold the receiver's work in trouble between steps.
                steps = self._attack.steps(self._context)
                with closing(steps):  # type: ignore[type-var]  # all of them are generators
                    for step in steps:
                        self._send(step)
                        if step.enough and self.case.findings:
                            break
            except UnobservedError as reason:
                self.case.unseen = str(reason)
                may_harm = not isinstance(reason, NotStartedError)
            self._stays_healthy(may_harm=may_harm)
        self._judge.output("".join(heard) + log()[begin:])

    def _stays_healthy(self, *, may_harm: bool) -> None:
        """Send a genuine webhook, and blame the attack for its refusal unless it did no harm."""
        after = self._standing.after(
            self._attack, self._receiver, self._context, took_odd=self._took_odd
        )
        self.case.unseen = after.unseen or self.case.unseen
        if after.got and may_harm:
            words = {"why": after.why, "fix": after.fix}
            self.case.find("health", None, after.got, after.expected, after.level, **words)

    def _send(self, step: AttackStep) -> None:
        expected = step.expected
        responses, done = self._watched(step) if expected.watch_comparison else self._counted(step)
        if expected.answers not in ("fail", "any"):
            self._require_unlimited(responses)
        if expected.answers == "either" and any(r.answer and r.answer.accepted for r in responses):
            self._took_odd = True
        if expected.answers == "refuse":
            self._standing.forged += len(responses)
            # What a gateway made of the body may be what was signed: its handler cannot tell.
            altered = self._receiver.why_altered(step)
            if altered and any(r.answer and r.answer.accepted for r in responses):
                self.case.unseen = altered
                return
        self._judge.step(step, responses, done)

    def _counted(self, step: AttackStep) -> tuple[Responses, int]:
        sends = step.transmission.copies > 0
        # A wait begins with the step before: what is waited for may have come at once.
        begin = self._receiver.effects() if sends else self._effects
        responses = self._receiver.send(step)
        worth_a_wait = not sends or any(
            response.answer and response.answer.accepted for response in responses
        )
        wanted = self._judge.wanted_effects(step) if worth_a_wait else 0
        seconds = step.expected.patience or PATIENCE
        self._effects = self._receiver.effects(at_least=begin + wanted, patience=seconds)
        return responses, self._effects - begin

    def _watched(self, step: AttackStep) -> tuple[Responses, int]:
        """Fire a step whose comparison is watched."""
        hits: list[str] = []
        name = self._context.scheme.header
        value = Tripwire(step.webhook.headers[name], hits)
        with spy() as calls:
            responses, done = self._counted(with_header(step, name, value))
        if hits:
            came = "it compares the signature by == (seen by the tripwire)"
            self.case.find("constant time", step, came, "hmac.compare_digest")
        elif calls:
            self.case.notes.append("constant time: the call of compare_digest was seen by the spy")
        else:
            self.case.notes.append("constant time: not observed")
        return responses, done

    def _require_unlimited(self, responses: Responses) -> None:
        """Raise LimitedError if an answer may only say that there were too many requests."""
        for answer in filter(None, (response.answer for response in responses)):
            limits = limits_rates(answer)
            if not limits and is_unavailable(answer):
                genuine = accepted(self._context.genuine(), effects="any")
                limits = is_unavailable(self._standing.send(genuine, self._receiver).answer)
            if limits:
                raise LimitedError(limited(answer, since=self._attack.label))
