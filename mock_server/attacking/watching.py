"""What ``turris-sandbox attack`` knows about the receiver besides its answers."""

import contextlib
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mock_server.attacking.effects import effects_of_command, effects_of_url, failing_work
from mock_server.attacking.started import StartedReceivers, StartError, last_words, log_since
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.step import Transmission, accepted
from pytest_turris.receivers.target import Target
from pytest_turris.webhooks.factory import WebhookFactory

_HEARTBEAT = 1.1
"""Seconds in which what a receiver writes each second shows in the effects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchSettings:
    """The options of the command line that say how to watch and start the receiver.

    Args:
        effects: A command that prints what the receiver did; may be empty.
        effects_url: A URL that answers with it; may be empty.
        settle: Seconds without a change after which the receiver is done.
        failing_work: A command that makes the receiver's work fail; may be empty.
        start: A command that starts the receiver; may be empty.
        key_variable: The environment variable of the signing key.
        previous_key_variable: That of the key before; may be empty.
        log: The receiver's log, if it has one.
    """

    effects: str
    effects_url: str
    settle: float
    failing_work: str
    start: str
    key_variable: str
    previous_key_variable: str
    log: Path | None

    @property
    def given(self) -> dict[str, object]:
        """Which of them were given, without the commands, which may hold secrets."""
        commands = ("effects", "effects_url", "failing_work", "start", "log")
        return {name: bool(getattr(self, name)) for name in commands} | {"settle": self.settle}


@contextlib.contextmanager
def watched(
    settings: WatchSettings,
    target: Target,
    url: str,
    factory: WebhookFactory,
    *,
    timeout: float,
    allow: Collection[str],
) -> Iterator["Watched"]:
    """Start the receiver if that is asked for, and stop it at the end.

    Args:
        settings: How to watch and start it.
        target: The receiver.
        url: Its URL.
        factory: Builds what is sent to it; it has the signing key.
        timeout: Seconds to wait for one answer.
        allow: The ``host:port`` pairs outside this machine that a URL may lead to.

    Raises:
        EgressRefused: A URL leads elsewhere.
        HookError: The command for the effects fails, or prints something else each time.
        StartError: The receiver does not start.
    """
    probe = None
    if settings.effects:
        probe = effects_of_command(settings.effects)
    elif settings.effects_url:
        probe = effects_of_url(settings.effects_url, allow=allow)
    with contextlib.ExitStack() as stack:
        log, receivers = settings.log, None
        if settings.start:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="turris-"))
            output = Path(directory) / "receiver.log"
            receivers = stack.enter_context(_started(settings, url, factory, output))
            log = log or output
        receiver = Receiver(
            target, effects=probe, settle=settings.settle or None, timeout=timeout, allow=allow
        )
        receiver.require_still(_HEARTBEAT)
        yield Watched(receiver, _hooks(settings, receivers, log), receivers)


class Watched:
    """The receiver under attack, and what is known about it besides its answers.

    Args:
        receiver: The receiver.
        hooks: What an attack may do besides sending, but for starting it with other keys.
        started: What starts it with other keys, if anything does.
    """

    def __init__(
        self, receiver: Receiver, hooks: ReceiverHooks, started: StartedReceivers | None
    ) -> None:
        self.receiver = receiver
        self._hooks = hooks
        self._started = started
        self._looked = False

    def context(self, context: AttackContext) -> AttackContext:
        """Return a context with the hooks.

        Args:
            context: Builds what is sent.
        """
        started = self._started
        if started is None:
            return replace(context, hooks=self._hooks)

        def with_keys(keys: Sequence[str]) -> str:
            url = started.with_keys(keys)
            self._look_elsewhere(started, context)
            return url

        return replace(context, hooks=replace(self._hooks, with_keys=with_keys))

    def _look_elsewhere(self, started: StartedReceivers, context: AttackContext) -> None:
        """Find out, once, whether the effects of a process with other keys are seen."""
        if self._looked or not self.receiver.observed:
            return
        self._looked = True
        elsewhere = Transmission(target=started.with_keys([context.key]))
        before = self.receiver.effects()
        self.receiver.send(accepted(context.genuine(), transmission=elsewhere))
        self.receiver.others_unseen = self.receiver.effects(at_least=before + 1) == before


def _hooks(
    settings: WatchSettings, receivers: StartedReceivers | None, log: Path | None
) -> ReceiverHooks:
    begin = len(log_since(log).encode()) if log else 0
    return ReceiverHooks(
        failing_work=failing_work(settings.failing_work) if settings.failing_work else None,
        log=(lambda: log_since(log, begin)) if log else None,
        restart=receivers.restart if receivers else None,
    )


def _started(
    settings: WatchSettings, url: str, factory: WebhookFactory, output: Path
) -> StartedReceivers:
    try:
        return StartedReceivers(
            settings.start,
            url,
            key=factory.key,
            key_variable=settings.key_variable,
            previous_key_variable=settings.previous_key_variable,
            variables={"TURRIS_UPSTREAM_ENTITY_ID": factory.upstream_entity_id},
            log=output,
        )
    except StartError as error:
        said = last_words(output)
        raise StartError(f"--start: {error}" + (f"; it wrote: {said}" if said else "")) from None
