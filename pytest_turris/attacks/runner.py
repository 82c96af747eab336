"""Fires an attack at a receiver and holds what happens against the oracles."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.canary import Caught
from pytest_turris.attacks.constant_time import Tripwire, spy
from pytest_turris.attacks.context import Forge, NotApplicable
from pytest_turris.attacks.description import (
    Finding,
    Oracle,
    Outcome,
    Verdict,
    answered,
    described,
)
from pytest_turris.attacks.families.payload import FORGED_LINE
from pytest_turris.attacks.receiver import Receiver, Reply, Volley, with_header
from pytest_turris.attacks.step import AttackStep, accepted, refused
from pytest_turris.core.levels import Level
from pytest_turris.process.output import captured_output
from pytest_turris.webhooks.signature import SignatureError

_PATIENCE = 2.0
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|File \"/|/site-packages/"
    r"|\n\s+at .+\(?/.+\.js:\d+|node_modules"
)
_OUTCOMES: tuple[tuple[Level, Outcome], ...] = (
    ("must", "failed"),
    ("should", "warned"),
    ("info", "noted"),
)


def judge(attack: Attack, receiver: Receiver, forge: Forge) -> Verdict:
    """What comes of one attack on a receiver.

    Seven oracles are asked: effects, the status, the time, that refusals look alike, that
    nothing leaks, that the signature is verified before the body is parsed, and that a genuine
    webhook is accepted afterwards.
    """
    __tracebackhide__ = True
    receiver.reset()
    case = _Case(attack, receiver, forge)
    try:
        with captured_output() as heard:
            case.run()
        case.check_output("".join(heard))
    except NotApplicable as reason:
        return Verdict(attack=attack, outcome="skipped", reason=str(reason))
    except SignatureError as reason:
        words = f"the scheme cannot sign such a body: {reason}"
        return Verdict(attack=attack, outcome="skipped", reason=words)
    return case.verdict()


class _Case:
    """One attack under way."""

    def __init__(self, attack: Attack, receiver: Receiver, forge: Forge) -> None:
        self._attack = attack
        self._receiver = receiver
        self._forge = forge
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._before = 0
        self._total = 0
        self._wrong: Reply | None = None

    def run(self) -> None:
        if self._attack.delivery == "socket" and not self._receiver.is_url:
            raise NotApplicable("it is about a server: run it against a URL on this machine")
        try:
            # Closed at once: an attack may hold the receiver's work in trouble between its steps.
            steps = self._attack.steps(self._forge)
            with closing(steps):  # type: ignore[type-var]  # all of them are generators
                for step in steps:
                    self._send(step)
        except Caught as caught:
            self._find("effects", None, str(caught), "call nobody")
        self._stays_healthy()

    def verdict(self) -> Verdict:
        levels = {finding.level for finding in self._findings}
        unharmed: Literal["passed", "not observed"] = (
            "passed" if self._receiver.observed else "not observed"
        )
        outcome = next((name for level, name in _OUTCOMES if level in levels), unharmed)
        return Verdict(
            attack=self._attack,
            outcome=outcome,
            findings=tuple(self._findings),
            notes=tuple(dict.fromkeys(self._notes)),
        )

    def check_output(self, text: str) -> None:
        """Look for leaks in what the receiver printed and logged."""
        if self._forge.key in text:
            self._find("no leak", None, "the key stands in its output", "keep the key to itself")
        if any(line.startswith(FORGED_LINE) for line in text.splitlines()):
            came = "a line of the sender's making stands in its log"
            self._find("no leak", None, came, "keep to one line for one record")

    def _send(self, step: AttackStep) -> None:
        expected = step.expected
        volley, done = self._watched(step) if expected.watch_comparison else self._counted(step)
        for reply in _distinct(volley.replies):
            self._judge_status(step, reply)
            self._judge_leak(step, reply)
            if step.transmission.never_ends:
                self._note_size(step, reply)
        if volley.seconds > _PATIENCE:
            came = f"after {volley.seconds:.1f} s"
            self._find("time", step, came, f"an answer within {_PATIENCE:.0f} s")
        self._judge_effects(step, done)
        if expected.same_as_wrong_signature:
            self._judge_likeness(step, volley.replies[0])
        if expected.stored_status:
            self._judge_belief(step)

    def _counted(self, step: AttackStep) -> tuple[Volley, int]:
        begin = self._receiver.effects()
        volley = self._receiver.send(step)
        return volley, self._receiver.effects() - begin

    def _watched(self, step: AttackStep) -> tuple[Volley, int]:
        """Fire a step whose comparison is watched."""
        hits: list[str] = []
        name = self._forge.scheme.header
        value = Tripwire(step.webhook.headers[name], hits)
        with spy() as calls:
            volley, done = self._counted(with_header(step, name, value))
        if hits:
            came = "it compares the signature by == (seen by the tripwire)"
            self._find("constant time", step, came, "hmac.compare_digest")
        elif calls:
            self._notes.append("constant time: the call of compare_digest was seen by the spy")
        else:
            self._notes.append("constant time: not observed")
        return volley, done

    def _judge_status(self, step: AttackStep, reply: Reply) -> None:
        status = reply.answer.status_code if reply.answer else None
        if status is None:
            hung_up = step.expected.may_hang_up and not reply.silent
            fine = hung_up or step.expected.answers == "fail"
        else:
            fine = status in _STATUSES[step.expected.answers]
        if not fine:
            self._find("status", step, self._answered(reply), _WANTED[step.expected.answers])

    def _note_size(self, step: AttackStep, reply: Reply) -> None:
        if reply.answer is None:
            self._notes.append(f"{step.label}: {reply.trouble}")
        elif reply.answer.written:
            self._notes.append(f"{step.label}: answered after {reply.answer.written:,} bytes")

    def _judge_leak(self, step: AttackStep, reply: Reply) -> None:
        if reply.answer is None:
            return
        headers = "\n".join(f"{name}: {value}" for name, value in reply.answer.headers.items())
        text = f"{headers}\n{reply.answer.text}"
        if self._forge.key in text:
            self._find("no leak", step, "the key stands in the answer", "keep the key to itself")
        if _TRACE.search(text):
            came = f"{reply.answer.status_code} with a stack trace or a file's path"
            self._find("no leak", step, came, "an answer without them")
        right = self._unknown_signature(step)
        if right and right in text:
            came = "the right signature stands in the answer"
            self._find("no leak", step, came, "keep the signature to itself")

    def _unknown_signature(self, step: AttackStep) -> str:
        """The right signature of what was sent, if the sender did not send it."""
        forge, webhook = self._forge, step.webhook
        try:
            value = forge.scheme.sign(webhook.body, forge.key, at=webhook.signed_at)
        except SignatureError:
            return ""
        right = value[-forge.scheme.signature_length :]
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
            self._find("effects", step, f"{done} effect(s)", wanted)

    def _judge_likeness(self, step: AttackStep, reply: Reply) -> None:
        if self._wrong is None:
            wrong = refused(self._forge.wrong(self._forge.genuine()))
            self._wrong = self._receiver.send(wrong).replies[0]
        if _looks(self._wrong) != _looks(reply):
            before_parsing = step.label == "no JSON"
            came = f"{self._answered(reply)}; a wrong signature gets {self._answered(self._wrong)}"
            self._find(
                "verify first" if before_parsing else "no oracle",
                step,
                came,
                "the same answer as to a wrong signature",
                None if before_parsing else "should",
            )

    def _judge_belief(self, step: AttackStep) -> None:
        state = self._forge.handles.state
        believed = state() if state else None
        wanted = step.expected.stored_status
        if believed != wanted:
            self._find("effects", step, f"it believes {believed!r}", f"{wanted!r}, as the API")

    def _stays_healthy(self) -> None:
        step = accepted(self._forge.genuine(), effects="any")
        reply = self._receiver.send(step).replies[0]
        if reply.answer is None or not reply.answer.accepted:
            came = self._answered(reply)
            self._find("health", step, came, "to accept a genuine webhook right afterwards")

    def _answered(self, reply: Reply) -> str:
        return answered(reply.answer, self._forge.key, reply.trouble)

    def _find(
        self,
        oracle: Oracle,
        step: AttackStep | None,
        came: str,
        wanted: str,
        level: Level | None = None,
    ) -> None:
        sent = "see above"
        if step is not None:
            path = self._receiver.shown_path(step)
            key = self._forge.key
            sent = described(step.webhook, step.transmission.method, path, step.label, key)
        self._findings.append(
            Finding(
                oracle=oracle,
                level=level or self._attack.level,
                sent=sent,
                came=came,
                wanted=wanted,
            )
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


def _distinct(replies: tuple[Reply, ...]) -> Iterator[Reply]:
    """One reply of each kind: a thousand copies have one thing to say."""
    seen = set()
    for reply in replies:
        if (looks := _looks(reply)) not in seen:
            seen.add(looks)
            yield reply


def _looks(reply: Reply) -> tuple[int, bytes]:
    return (reply.answer.status_code, reply.answer.body) if reply.answer else (0, b"")
