"""The receiver under attack: how a step reaches it, and what can be seen of it."""

import datetime as dt
import math
import os
from collections.abc import Callable, Collection
from dataclasses import replace

from pytest_turris.attacks.effects import PATIENCE, EffectsProbe, Settle, call_hook
from pytest_turris.attacks.judging.memory import PeakMemory, listening_processes
from pytest_turris.attacks.judging.pace import Pace
from pytest_turris.attacks.sending.delivery import SendingLimits, in_process, over_socket
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.step import AttackStep, Transmission
from pytest_turris.core.wire.hosts import LOOPBACK
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import Destination
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.in_process.django_database import TransactionError, refuse_threads
from pytest_turris.receivers.socket_post import TURRIS_TIMEOUT
from pytest_turris.receivers.target import AsgiTarget, Target, UrlTarget, VerifierTarget

_TIMEOUT = 10.0
"""Seconds to wait over a socket: a third of what Turris does, whose limit is 30 seconds."""


class OutOfTimeError(Exception):
    """The time for all attacks together is over; nothing more is sent."""


class Receiver:
    """Something that webhooks can be sent to, with the probe that counts its effects.

    Args:
        target: As for ``SignedWebhook.send``.
        path: The path inside an application; appended to a URL.
        effects: Returns a number, or a snapshot of what the receiver did; see ``EffectsProbe``.
        reset: Called before each attack; may be async.
        settle: When the receiver is quiet; see ``EffectsProbe``.
        pass_time: Moves the clock of the code under test while it is waited for.
        allow: Each ``host:port`` that a URL may lead to besides this machine.
        timeout: Seconds to wait for the answer to one request over a socket; 10 unless given.
    """

    def __init__(
        self,
        target: object,
        path: str = "",
        *,
        effects: Callable[[], object] | None = None,
        reset: Callable[[], object] | None = None,
        settle: Settle = None,
        pass_time: Callable[[dt.timedelta], object] | None = None,
        allow: Collection[str] = (),
        timeout: float | None = None,
    ) -> None:
        reached = Target.of(target, path, allow=allow).require_sync()
        # Attacks on the path need one to change.
        self._target = reached.split() if isinstance(reached, UrlTarget) else reached
        self._effects = EffectsProbe(effects, settle, pass_time)
        self._reset = reset
        self._allow = allow
        self._timeout = timeout
        self._deadline = math.inf
        self._peer = LOOPBACK
        self.pace: Pace = Pace()
        self.others_unseen: bool = False
        """Whether effects of a receiver with other keys, which runs elsewhere, are not seen."""

    @property
    def observed(self) -> bool:
        """Whether effects can be counted."""
        return self._effects.observes

    @property
    def settles(self) -> bool:
        """Whether the test says when it is quiet."""
        return self._effects.settles

    @property
    def snapshot(self) -> object:
        """What ``effects`` gave when it was last called; None without a probe."""
        return self._effects.snapshot

    def sees(self, step: AttackStep) -> bool:
        """Whether the effects of a step can be counted."""
        elsewhere = step.transmission.target is not None
        return self.observed and not (elsewhere and self.others_unseen)

    def effects(self, *, at_least: int = 0, patience: float = PATIENCE) -> int:
        """How much the receiver has done so far; 0 without a probe.

        Args:
            at_least: What is expected by now: it may come a moment after the answer.
            patience: For how many real seconds it is waited for.

        Raises:
            HookError: A hook gave something of the wrong type.
        """
        return self._effects.count(at_least=at_least, patience=patience)

    def require_still(self, pause: float = 0.0) -> None:
        """Make sure that the effects do not change by themselves, before anything is sent.

        Args:
            pause: Real seconds between two looks; a moment by default.

        Raises:
            HookError: They do, or a hook gave something of the wrong type.
        """
        self._effects.require_still(pause)

    @property
    def resets(self) -> bool:
        """Whether the test can reset it."""
        return self._reset is not None

    def reset(self) -> None:
        """Call the test's ``reset``, if there is one."""
        if self._reset:
            call_hook(self._reset, "reset")

    @property
    def target(self) -> Target:
        """What webhooks are posted to."""
        return self._target

    @property
    def is_url(self) -> bool:
        """Whether it is reached over a socket."""
        return isinstance(self._target, UrlTarget)

    @property
    def is_function(self) -> bool:
        """Whether it is a function of body and headers, which sees no method and no path."""
        return isinstance(self._target, VerifierTarget)

    def come_from(self, peer: str) -> None:
        """Send from an address that the receiver takes webhooks from, unless a step says where.

        Args:
            peer: The address that an application in this process sees; empty for this machine's.
        """
        self._peer = peer or LOOPBACK

    def stop_at(self, deadline: float) -> None:
        """Send nothing after a moment.

        Args:
            deadline: The moment, on ``steady_time()``.
        """
        self._deadline = deadline

    def send(self, step: AttackStep) -> tuple[ReceiverResponse, ...]:
        """Send all copies of a step, and return their responses.

        In process, a step that is for sockets only is left out: there is no response.

        Raises:
            NotApplicableError: This receiver cannot be reached in the way that the step needs.
            OutOfTimeError: The moment of ``stop_at`` has come.
        """
        how, target = step.transmission, self._target
        left = self._deadline - steady_time()
        if left <= 0:
            raise OutOfTimeError
        self._effects.note_request()
        if how.target is not None:
            target = replace(
                Target.of(how.target, self._target.path, allow=self._allow),
                host=self._target.host,
                scheme=self._target.scheme,
            )
        if how.socket_only and target.in_process:
            return ()
        sent = self._post(step, target)
        watched = PeakMemory(_processes(target, sent)) if how.watch_memory else None
        if isinstance(target, UrlTarget):
            responses = over_socket(target, how, sent, self._limits(how, left))
        else:
            responses = _in_process(target, how, sent)
        if watched is not None:
            responses = [replace(one, memory=watched.growth()) for one in responses]
        return tuple(responses)

    def shown_path(self, step: AttackStep) -> str:
        """The path that a step requests."""
        return self._post(step, self._target).app_path

    def why_altered(self, step: AttackStep) -> str:
        """Why it gets another body than a step sends; empty if it gets the same bytes."""
        return self._target.why_altered(self._post(step, self._target))

    def destination(self, step: AttackStep) -> Destination | None:
        """Where a step leads, of a receiver behind a URL; None for any other."""
        target = self._target
        if not isinstance(target, UrlTarget):
            return None
        return target.destination(self._post(step, target))

    def _limits(self, how: Transmission, left: float) -> SendingLimits:
        timeout = _TIMEOUT if self._timeout is None else self._timeout
        # Those at once may be served one after another; Turris waits for each of them as long.
        if how.copies > 1 or how.takes_long:
            timeout = max(timeout, TURRIS_TIMEOUT)
        waits = how.never_ends or how.alongside or how.among
        patience = self.pace.patience() if waits else 0.0
        return SendingLimits(timeout=min(timeout, left), patience=min(patience, left))

    def _post(self, step: AttackStep, target: Target) -> Post:
        how = step.transmission
        path = target.path
        return Post(
            headers=step.webhook.header_lines,
            body=step.webhook.body,
            path=_changed(path or "/", how.change_path) if how.change_path else path,
            method=how.method,
            peer=self._peer if how.peer == LOOPBACK else how.peer,
            split_at=how.split_at,
            exact_names=how.exact_names,
            host=how.host or target.host,
            scheme=target.scheme,
        )


def _in_process(target: Target, how: Transmission, sent: Post) -> list[ReceiverResponse]:
    try:
        if how.copies > 1 and not isinstance(target, AsgiTarget):
            refuse_threads()
        return in_process(target, how, sent)
    except TransactionError as error:
        raise NotApplicableError(str(error)) from error


def _processes(target: Target, sent: Post) -> list[int]:
    """The processes of this machine that the receiver runs in, as far as they can be seen."""
    if isinstance(target, UrlTarget):
        return listening_processes(target.destination(sent).port)
    return [os.getpid()]


def with_header(step: AttackStep, name: str, value: str) -> AttackStep:
    """The step with another value, of whatever text type, in one header."""
    lines = tuple(
        (line, value if line.lower() == name.lower() else text)
        for line, text in step.webhook.header_lines
    )
    return replace(step, webhook=replace(step.webhook, header_lines=lines))


def _changed(path: str, change: Callable[[str], str]) -> str:
    """The path changed by an attack, with the query that the receiver asks for."""
    bare, mark, query = path.partition("?")
    changed = change(bare)
    return f"{changed}{'&' if '?' in changed else mark}{query}" if mark else changed
