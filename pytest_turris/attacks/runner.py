"""Fires an attack at a receiver and holds what happens against the oracles."""

import re
from collections.abc import Iterator
from contextlib import closing

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.canary import CanaryTripped
from pytest_turris.attacks.constant_time import Tripwire, spy
from pytest_turris.attacks.context import FORGED_LINE, AttackContext
from pytest_turris.attacks.description import Oracle, answered, described
from pytest_turris.attacks.receiver import Receiver, ReceiverResponse, with_header
from pytest_turris.attacks.step import AttackStep, accepted, refused
from pytest_turris.core.levels import Level
from pytest_turris.core.text.plurals import counted
from pytest_turris.findings.errors import MissingHookError, NotApplicableError
from pytest_turris.findings.verdict import Finding, Outcome, Verdict
from pytest_turris.process.output import captured_output
from pytest_turris.webhooks.signature import SignatureError

_MAX_SECONDS = 2.0
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|File \"/|/site-packages/"
    r"|\n\s+at .+\(?/.+\.js:\d+|node_modules"
)


def run_attack(attack: Attack, receiver: Receiver, context: AttackContext) -> Verdict:
    """What comes of one attack on a receiver.

    Seven oracles are asked: effects, the status, the time, that refusals look alike, that
    nothing leaks, that the signature is verified before the body is parsed, and that a genuine
    webhook is accepted afterwards.
    """
    __tracebackhide__ = True
    receiver.reset()
    case = AttackRunner(attack, receiver, context)
    try:
        with captured_output() as heard:
            case.run()
        case.check_output("".join(heard))
    except NotApplicableError as reason:
        outcome: Outcome = "not observed" if isinstance(reason, MissingHookError) else "skipped"
        return Verdict(check=attack, outcome=outcome, reason=str(reason))
    except SignatureError as reason:
        words = f"the scheme cannot sign such a body: {reason}"
        return Verdict(check=attack, outcome="skipped", reason=words)
    return case.verdict()


class AttackRunner:
    """One attack under way."""

    def __init__(self, attack: Attack, receiver: Receiver, context: AttackContext) -> None:
        self._attack = attack
        self._receiver = receiver
        self._context = context
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._before = 0
        self._total = 0
        self._wrong: ReceiverResponse | None = None

    def run(self) -> None:
        """Send the attack's steps, then a genuine webhook; what is wrong becomes a finding."""
        if self._attack.delivery == "socket" and not self._receiver.is_url:
            raise NotApplicableError("it is about a server: run it against a URL on this machine")
        try:
            # Closed at once: an attack may hold the receiver's work in trouble between its steps.
            steps = self._attack.steps(self._context)
            with closing(steps):  # type: ignore[type-var]  # all of them are generators
                for step in steps:
                    self._send(step)
        except CanaryTripped as caught:
            self._find("effects", None, str(caught), "make no request")
        self._stays_healthy()

    def verdict(self) -> Verdict:
        """The verdict on what was found so far."""
        return Verdict.of(
            self._attack, self._findings, notes=self._notes, observed=self._receiver.observed
        )

    def check_output(self, text: str) -> None:
        """Look for leaks in what the receiver printed and logged."""
        if self._context.key in text:
            self._find("no leak", None, "the key stands in its output", "keep the key to itself")
        if any(line.startswith(FORGED_LINE) for line in text.splitlines()):
            came = "a line of the sender's making stands in its log"
            self._find("no leak", None, came, "keep to one line for one record")

    def _send(self, step: AttackStep) -> None:
        expected = step.expected
        responses, done = self._watched(step) if expected.watch_comparison else self._counted(step)
        for response in _distinct(responses):
            self._judge_status(step, response)
            self._judge_leak(step, response)
            if step.transmission.never_ends:
                self._note_size(step, response)
        seconds = max((response.seconds for response in responses), default=0.0)
        if seconds > _MAX_SECONDS:
            came = f"after {seconds:.1f} s"
            self._find("time", step, came, f"an answer within {_MAX_SECONDS:.0f} s")
        self._judge_effects(step, done)
        if expected.same_as_wrong_signature:
            self._judge_likeness(step, responses[0])
        if expected.stored_status:
            self._judge_belief(step)

    def _counted(self, step: AttackStep) -> tuple[tuple[ReceiverResponse, ...], int]:
        begin = self._receiver.effects()
        responses = self._receiver.send(step)
        accepted = any(response.answer and response.answer.accepted for response in responses)
        wanted = self._wanted(step) if accepted else 0
        return responses, self._receiver.effects(at_least=begin + wanted) - begin

    def _wanted(self, step: AttackStep) -> int:
        """How many effects are worth a moment's wait, if they did not come with the answer."""
        first = 0 if self._total else 1
        return {"some": 1, "same": self._before, "first": first}.get(step.expected.effects, 0)

    def _watched(self, step: AttackStep) -> tuple[tuple[ReceiverResponse, ...], int]:
        """Fire a step whose comparison is watched."""
        hits: list[str] = []
        name = self._context.scheme.header
        value = Tripwire(step.webhook.headers[name], hits)
        with spy() as calls:
            responses, done = self._counted(with_header(step, name, value))
        if hits:
            came = "it compares the signature by == (seen by the tripwire)"
            self._find("constant time", step, came, "hmac.compare_digest")
        elif calls:
            self._notes.append("constant time: the call of compare_digest was seen by the spy")
        else:
            self._notes.append("constant time: not observed")
        return responses, done

    def _judge_status(self, step: AttackStep, response: ReceiverResponse) -> None:
        status = response.answer.status_code if response.answer else None
        if status is None:
            hung_up = step.expected.may_hang_up and not response.silent
            fine = hung_up or step.expected.answers == "fail"
        else:
            fine = status in _STATUSES[step.expected.answers]
        if not fine:
            self._find("status", step, self._answered(response), _WANTED[step.expected.answers])

    def _note_size(self, step: AttackStep, response: ReceiverResponse) -> None:
        if response.answer is None:
            self._notes.append(f"{step.label}: {response.reason}")
        elif response.answer.written:
            self._notes.append(f"{step.label}: answered after {response.answer.written:,} bytes")

    def _judge_leak(self, step: AttackStep, response: ReceiverResponse) -> None:
        if response.answer is None:
            return
        headers = "\n".join(f"{name}: {value}" for name, value in response.answer.headers.items())
        text = f"{headers}\n{response.answer.text}"
        if self._context.key in text:
            self._find("no leak", step, "the key stands in the answer", "keep the key to itself")
        if _TRACE.search(text):
            came = f"{response.answer.status_code} with a stack trace or a file's path"
            self._find("no leak", step, came, "an answer without them")
        right = self._unknown_signature(step)
        if right and right in text:
            came = "the right signature stands in the answer"
            self._find("no leak", step, came, "keep the signature to itself")

    def _unknown_signature(self, step: AttackStep) -> str:
        """The right signature of what was sent, if the sender did not send it."""
        context, webhook = self._context, step.webhook
        try:
            value = context.scheme.sign(webhook.body, context.key, at=webhook.signed_at)
        except SignatureError:
            return ""
        right = value[-context.scheme.signature_length :]
        sent = f"{webhook.header_lines}{self._receiver.shown_path(step)}{webhook.body!r}"
        return "" if right in sent else right

    def _judge_effects(self, step: AttackStep, done: int) -> None:
        previous, self._before = self._before, done
        acted, self._total = self._total > 0, self._total + done
        if not self._receiver.observed:
            return
        wanted, fine = {
            "none": ("nothing done", done == 0),
            "some": ("something done", done > 0),
            "any": ("", True),
            "same": (f"as much done as by one ({previous})", done == previous),
            "at most": (f"no more done than for one ({previous})", done <= max(previous, 1)),
            "first": ("done once in all", done == 0 if acted else done > 0),
        }[step.expected.effects]
        if step.expected.effects == "at most":
            self._before = previous
        if not fine:
            self._find("effects", step, counted(done, "effect"), wanted)

    def _judge_likeness(self, step: AttackStep, response: ReceiverResponse) -> None:
        if self._wrong is None:
            wrong = refused(self._context.wrongly_signed(self._context.genuine()))
            self._wrong = self._receiver.send(wrong)[0]
        if _looks(self._wrong) != _looks(response):
            before_parsing = step.label == "no JSON"
            came = (
                f"{self._answered(response)}; a wrong signature gets {self._answered(self._wrong)}"
            )
            self._find(
                "verify first" if before_parsing else "no oracle",
                step,
                came,
                "the same answer as to a wrong signature",
                None if before_parsing else "should",
            )

    def _judge_belief(self, step: AttackStep) -> None:
        state = self._context.hooks.state
        believed = state() if state else None
        wanted = step.expected.stored_status
        if believed != wanted:
            self._find("effects", step, f"it believes {believed!r}", f"{wanted!r}, as the API")

    def _stays_healthy(self) -> None:
        step = accepted(self._context.genuine(), effects="any")
        response = self._receiver.send(step)[0]
        if response.answer is None or not response.answer.accepted:
            came = self._answered(response)
            self._find("health", step, came, "to accept a genuine webhook right afterwards")

    def _answered(self, response: ReceiverResponse) -> str:
        return answered(response.answer, self._context.key, response.reason)

    def _find(
        self,
        oracle: Oracle,
        step: AttackStep | None,
        got: str,
        expected: str,
        level: Level | None = None,
    ) -> None:
        sent = ""
        if step is not None:
            path = self._receiver.shown_path(step)
            key = self._context.key
            sent = described(step.webhook, step.transmission.method, path, step.label, key)
        level = level or self._attack.level
        self._findings.append(
            Finding(kind=oracle, level=level, sent=sent, got=got, expected=expected)
        )


_STATUSES = {
    "accept": range(200, 300),
    "refuse": range(400, 500),
    "either": (*range(200, 300), *range(400, 500)),
    "not accept": range(300, 500),
    "fail": (*range(100, 200), *range(300, 600)),
}
_WANTED = {
    "accept": "2xx",
    "refuse": "4xx",
    "either": "2xx or 4xx",
    "not accept": "3xx or 4xx",
    "fail": "anything but 2xx",
}


def _distinct(responses: tuple[ReceiverResponse, ...]) -> Iterator[ReceiverResponse]:
    """One reply of each kind: a thousand copies have one thing to say."""
    seen = set()
    for response in responses:
        if (looks := _looks(response)) not in seen:
            seen.add(looks)
            yield response


def _looks(response: ReceiverResponse) -> tuple[int, bytes]:
    return (response.answer.status_code, response.answer.body) if response.answer else (0, b"")
