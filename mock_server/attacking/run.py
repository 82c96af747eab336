"""One run of ``turris-sandbox attack``: its report is always written."""

import contextlib
import datetime as dt
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from mock_server import interruption
from mock_server.attacking.masking import masker
from mock_server.attacking.report import AttackReport, has_failed
from mock_server.attacking.started import StartError
from mock_server.attacking.table import show_verdicts
from mock_server.attacking.watching import WatchSettings, watched
from mock_server.attacking.wording import language_of
from mock_server.exit_status import FAILED, INCOMPLETE, INTERNAL_ERROR, NOTHING_SENT, OK
from mock_server.shell.printing import say
from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import profile
from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.hooks import HookError
from pytest_turris.attacks.own_payload import OwnPayload
from pytest_turris.attacks.series.series import NOT_TRIED, AttackSeries, SeriesResult
from pytest_turris.core.clock import Clock
from pytest_turris.core.options import Options
from pytest_turris.core.text.redaction import redact_target
from pytest_turris.findings.ignore import IgnoredChecks
from pytest_turris.findings.verdict import Verdict
from pytest_turris.process.control_token import without_control_token
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.receivers.egress import EgressRefused, for_command
from pytest_turris.receivers.exchange import Post
from pytest_turris.receivers.socket_post import post_over_socket
from pytest_turris.receivers.target import UrlTarget
from pytest_turris.webhooks.factory import WebhookFactory

_LOOK_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackSettings:
    """What ``turris-sandbox attack`` was asked for.

    Args:
        url: The receiver's URL.
        target: The receiver.
        factory: Builds genuine webhooks.
        payload: The user's own payload, if there is one.
        options: The options of the sandbox, with profile, scheme and key.
        events: The event types that the receiver acts on; all if empty.
        only: The attacks to run in place of those of the profile, if there are any.
        ignored: The attacks to leave out, with the reasons.
        lines: The user's own header lines.
        timeout: Seconds to wait for one answer.
        total_timeout: Seconds for all attacks.
        allow: The ``host:port`` pairs outside this machine that a URL may lead to.
        json_file: Where the report is written, if it is.
        watch: How to watch and start the receiver.
    """

    url: str
    target: UrlTarget
    factory: WebhookFactory
    payload: OwnPayload | None
    options: Options
    events: tuple[str, ...]
    only: tuple[Attack, ...]
    ignored: IgnoredChecks
    lines: tuple[tuple[str, str], ...]
    timeout: float
    total_timeout: float
    allow: tuple[str, ...]
    json_file: Path | None
    watch: WatchSettings

    @property
    def given(self) -> dict[str, object]:
        """The options of the command line, without secrets."""
        return {
            "entity": self.factory.upstream_entity_id,
            "events": list(self.events),
            "headers": [name for name, _ in self.lines],
            "host": self.target.host,
            "only": [attack.id for attack in self.only],
            "own_payload": self.payload is not None,
            "timeout": self.timeout,
            "total_timeout": self.total_timeout,
        } | self.watch.given


@dataclass(kw_only=True, slots=True)
class _Outcome:
    """What is known so far about a run. It survives an exception."""

    verdicts: list[Verdict] = field(default_factory=list)
    cause: str = ""
    error: str = ""
    status: int = OK
    language: str = ""

    def take(self, result: SeriesResult) -> None:
        self.verdicts, self.cause = list(result.verdicts), result.cause
        if result.interrupted or (result.answered and not result.complete):
            self.status = INCOMPLETE
        elif not result.answered:
            self.status = NOTHING_SENT


def run_attacks(settings: AttackSettings) -> int:
    """Attack a receiver, print and write the report, and return the exit status.

    Args:
        settings: What was asked for.
    """
    console, outcome = Console(), _Outcome()
    began, begin = Clock().now(), steady_time()
    with _caught(outcome):
        _attack(settings, console, outcome)
    if outcome.status in (OK, INCOMPLETE) and has_failed(tuple(outcome.verdicts)):
        outcome.status = FAILED
    report = _report(settings, outcome, began, steady_time() - begin)
    if outcome.status != NOTHING_SENT:
        show_verdicts(report, console)
    for line in {outcome.error, outcome.cause if outcome.status == NOTHING_SENT else ""} - {""}:
        say(f"turris-sandbox: {report.masked(line)}", err=True)
    return _written(report, settings.json_file)


@contextlib.contextmanager
def _caught(outcome: _Outcome) -> Iterator[None]:
    """Turn an exception into an outcome."""
    try:
        yield
    except EgressRefused as error:
        outcome.status, outcome.error = NOTHING_SENT, for_command(error)
    except StartError as error:
        outcome.status, outcome.error = NOTHING_SENT, str(error)
    except HookError as error:
        sent = bool(outcome.verdicts)
        outcome.status, outcome.error = INCOMPLETE if sent else NOTHING_SENT, str(error)
    except KeyboardInterrupt:
        outcome.status, outcome.cause = INCOMPLETE, NOT_TRIED
    except Exception as error:  # noqa: BLE001 - the report is written for every error
        say(without_control_token(traceback.format_exc()), err=True, nl=False)
        outcome.status = INTERNAL_ERROR
        said = without_control_token(f"{type(error).__name__}: {error}")
        outcome.error = f"internal error, please report it: {said}"


def _attack(settings: AttackSettings, console: Console, outcome: _Outcome) -> None:
    acts_on = {event: ALL_EVENTS[event] for event in settings.events} or ALL_EVENTS
    looked_after = watched(
        settings.watch,
        settings.target,
        settings.url,
        settings.factory,
        timeout=settings.timeout,
        allow=settings.allow,
    )
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    with looked_after as watching, bar:
        task = bar.add_task("attacking", total=None)
        series = AttackSeries(
            watching.receiver,
            watching.context(
                AttackContext(factory=settings.factory, events=acts_on, payload=settings.payload)
            ),
            ignored=settings.ignored,
            total_seconds=settings.total_timeout,
            on_progress=lambda done, total, verdict: _note(
                outcome, verdict, lambda: bar.update(task, completed=done, total=total)
            ),
        )
        attacks = settings.only or profile(settings.options.attack_profile)
        outcome.take(series.run(attacks))
        outcome.language = _language(settings) if outcome.status != NOTHING_SENT else ""


def _note(outcome: _Outcome, verdict: Verdict, show_progress: Callable[[], object]) -> None:
    """Keep a verdict, and show progress."""
    outcome.verdicts.append(verdict)
    show_progress()
    interruption.raise_if_lost()


def _language(settings: AttackSettings) -> str:
    """The receiver's language, if its answer to a plain GET shows it."""
    looked = Post(headers=settings.lines, body=b"", method="GET", host=settings.target.host)
    try:
        where = settings.target.destination(looked)
        answer = post_over_socket(where, looked, timeout=min(settings.timeout, _LOOK_SECONDS))
    except OSError:
        return ""
    return language_of(answer.headers)


def _report(
    settings: AttackSettings, outcome: _Outcome, began: dt.datetime, seconds: float
) -> AttackReport:
    return AttackReport(
        url=redact_target(settings.url),
        profile=settings.options.attack_profile,
        scheme=settings.options.signature_scheme,
        options=settings.given,
        started_at=began,
        seconds=seconds,
        verdicts=tuple(outcome.verdicts),
        exit_status=outcome.status,
        cause=outcome.cause,
        error=outcome.error,
        language=outcome.language,
        masked=masker(settings.lines, settings.factory.key),
    )


def _written(report: AttackReport, file: Path | None) -> int:
    """The exit status after the report is written."""
    try:
        if file:
            report.write(file)
    except OSError as error:
        reason = error.strerror or error
        say(f"turris-sandbox: --json {file}: cannot write the report: {reason}", err=True)
        return report.exit_status or NOTHING_SENT
    return report.exit_status
