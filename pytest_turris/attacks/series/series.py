"""Many attacks on one receiver: its verdicts are kept, even if something stops the rest."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.judging.trap import late_visits
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import OUT_OF_TIME, run_attack
from pytest_turris.attacks.series.late import with_late_visits
from pytest_turris.attacks.series.standing import Standing
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Verdict
from pytest_turris.process.steady_clock import steady_time

NOT_TRIED = "it was interrupted before"

Progress = Callable[[int, int, Verdict], object]
"""Called after each attack with how many are done, how many there are, and the verdict."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesResult:
    """The result of a series of attacks.

    Args:
        verdicts: One for each attack, in the order in which they were given.
        cause: Why some were not observed, if they share a reason; else empty.
        answered: Whether there was any HTTP response at all.
        interrupted: Whether the user stopped it (Ctrl-C).
    """

    verdicts: tuple[Verdict, ...]
    cause: str
    answered: bool
    interrupted: bool

    @property
    def complete(self) -> bool:
        """Whether nothing stopped it before its end."""
        return not self.cause


class AttackSeries:
    """Fires attacks at one receiver, one after another.

    It never raises for what a receiver does: if genuine webhooks are refused, if the receiver is
    gone, limits rates, or takes too long, the rest is not observed, for one reason.

    Args:
        receiver: The receiver under attack.
        context: Builds what is sent.
        ignored: The attacks to leave out, with the reasons.
        total_seconds: The time for all attacks together, on the real clock; None for no limit.
        on_progress: Called after each attack.
    """

    def __init__(
        self,
        receiver: Receiver,
        context: AttackContext,
        *,
        ignored: IgnoredChecks | None = None,
        total_seconds: float | None = None,
        on_progress: Progress = lambda _done, _total, _verdict: None,
    ) -> None:
        self._receiver = receiver
        self._context = context
        self._ignored = ignored
        self._total_seconds = total_seconds
        self._on_progress = on_progress
        self._standing = Standing()
        self._cause = ""

    def run(self, attacks: Sequence[Attack]) -> SeriesResult:
        """Fire the attacks, and return what came of them, complete or not.

        Raises:
            EgressRefused: The receiver is where nothing may be sent.
            HookError: A hook of the test gave something of the wrong type.
        """
        verdicts: dict[str, Verdict] = {}
        if self._total_seconds is not None:
            self._receiver.stop_at(steady_time() + self._total_seconds)
        interrupted = True
        with contextlib.suppress(KeyboardInterrupt):
            for attack in _in_order(attacks):
                verdicts[attack.id] = self._verdict(attack)
                self._on_progress(len(verdicts), len(attacks), verdicts[attack.id])
            interrupted = False
        if interrupted:
            self._cause = NOT_TRIED
        found = [verdicts.get(attack.id) or self._unseen(attack) for attack in attacks]
        return SeriesResult(
            verdicts=tuple(with_late_visits(found, late_visits())),
            cause=self._cause,
            answered=self._standing.answered,
            interrupted=interrupted,
        )

    def _verdict(self, attack: Attack) -> Verdict:
        if self._ignored and (reason := self._ignored.reason(attack.id)):
            return Verdict(check=attack, outcome="ignored", reason=reason)
        if self._cause == OUT_OF_TIME:
            return self._unseen(attack)
        verdict = run_attack(attack, self._receiver, self._context, self._standing)
        out_of_time = verdict.reason == OUT_OF_TIME
        self._cause = OUT_OF_TIME if out_of_time else self._standing.cause
        return verdict

    def _unseen(self, attack: Attack) -> Verdict:
        return Verdict(check=attack, outcome="not observed", reason=self._cause)


def _in_order(attacks: Sequence[Attack]) -> list[Attack]:
    """The first attack, then those whose consequences may come late, then the others."""
    return [*attacks[:1], *sorted(attacks[1:], key=lambda attack: not attack.comes_late)]
