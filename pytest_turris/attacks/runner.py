"""Fires an attack at a receiver and holds what happens against the oracles."""

import re
from collections.abc import Iterator
from contextlib import closing

from pytest_turris.attacks.attack import Attack, Shot, refused
from pytest_turris.attacks.canary import Caught
from pytest_turris.attacks.constant_time import Tripwire, spy
from pytest_turris.attacks.context import Forge, NotApplicable
from pytest_turris.attacks.description import Oracle, answered, described
from pytest_turris.attacks.families.payload import FORGED_LINE
from pytest_turris.attacks.receiver import Receiver, Reply, Volley, with_header
from pytest_turris.core.levels import Level
from pytest_turris.findings.verdict import Finding, Verdict
from pytest_turris.process.output import captured_output
from pytest_turris.webhooks.signature import SignatureError

_PATIENCE = 2.0
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|File \"/|/site-packages/"
    r"|\n\s+at .+\(?/.+\.js:\d+|node_modules"
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
        return Verdict(check=attack, outcome="skipped", reason=str(reason))
    except SignatureError as reason:
        words = f"the scheme cannot sign such a body: {reason}"
        return Verdict(check=attack, outcome="skipped", reason=words)
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
        try:
            # Closed at once: an attack may hold the receiver's work in trouble between its shots.
            shots = self._attack.shots(self._forge)
            with closing(shots):  # type: ignore[type-var]  # all of them are generators
                for shot in shots:
                    self._fire(shot)
        except Caught as caught:
            self._find("effects", None, str(caught), "call nobody")
        self._stays_healthy()

    def verdict(self) -> Verdict:
        return Verdict.of(
            self._attack, self._findings, notes=self._notes, observed=self._receiver.observed
        )

    def check_output(self, text: str) -> None:
        """Look for leaks in what the receiver printed and logged."""
        if self._forge.key in text:
            self._find("no leak", None, "the key stands in its output", "keep the key to itself")
        if any(line.startswith(FORGED_LINE) for line in text.splitlines()):
            came = "a line of the sender's making stands in its log"
            self._find("no leak", None, came, "keep to one line for one record")

    def _fire(self, shot: Shot) -> None:
        volley, done = self._watched(shot) if shot.compared else self._counted(shot)
        for reply in _distinct(volley.replies):
            self._judge_status(shot, reply)
            self._judge_leak(shot, reply)
            if shot.unfinished:
                self._note_size(shot, reply)
        if volley.seconds > _PATIENCE:
            came = f"after {volley.seconds:.1f} s"
            self._find("time", shot, came, f"an answer within {_PATIENCE:.0f} s")
        self._judge_effects(shot, done)
        if shot.like_wrong:
            self._judge_likeness(shot, volley.replies[0])
        if shot.believes:
            self._judge_belief(shot)

    def _counted(self, shot: Shot) -> tuple[Volley, int]:
        begin = self._receiver.effects()
        volley = self._receiver.fire(shot)
        return volley, self._receiver.effects() - begin

    def _watched(self, shot: Shot) -> tuple[Volley, int]:
        """Fire a shot whose comparison is watched."""
        hits: list[str] = []
        name = self._forge.scheme.header
        value = Tripwire(shot.webhook.headers[name], hits)
        with spy() as calls:
            volley, done = self._counted(with_header(shot, name, value))
        if hits:
            came = "it compares the signature by == (seen by the tripwire)"
            self._find("constant time", shot, came, "hmac.compare_digest")
        elif calls:
            self._notes.append("constant time: the call of compare_digest was seen by the spy")
        else:
            self._notes.append("constant time: not observed")
        return volley, done

    def _judge_status(self, shot: Shot, reply: Reply) -> None:
        status = reply.answer.status_code if reply.answer else None
        if status is None:
            fine = (shot.may_hang_up and not reply.silent) or shot.answers == "fail"
        else:
            fine = status in _STATUSES[shot.answers]
        if not fine:
            self._find("status", shot, self._answered(reply), _WANTED[shot.answers])

    def _note_size(self, shot: Shot, reply: Reply) -> None:
        if reply.answer is None:
            self._notes.append(f"{shot.label}: {reply.trouble}")
        elif reply.answer.written:
            self._notes.append(f"{shot.label}: answered after {reply.answer.written:,} bytes")

    def _judge_leak(self, shot: Shot, reply: Reply) -> None:
        if reply.answer is None:
            return
        headers = "\n".join(f"{name}: {value}" for name, value in reply.answer.headers.items())
        text = f"{headers}\n{reply.answer.text}"
        if self._forge.key in text:
            self._find("no leak", shot, "the key stands in the answer", "keep the key to itself")
        if _TRACE.search(text):
            came = f"{reply.answer.status_code} with a stack trace or a file's path"
            self._find("no leak", shot, came, "an answer without them")
        right = self._unknown_signature(shot)
        if right and right in text:
            came = "the right signature stands in the answer"
            self._find("no leak", shot, came, "keep the signature to itself")

    def _unknown_signature(self, shot: Shot) -> str:
        """The right signature of what was sent, if the sender did not send it."""
        forge, webhook = self._forge, shot.webhook
        try:
            value = forge.scheme.sign(webhook.body, forge.key, at=webhook.signed_at)
        except SignatureError:
            return ""
        right = value[-forge.scheme.signature_length :]
        sent = f"{webhook.header_lines}{self._receiver.shown_path(shot)}{webhook.body!r}"
        return "" if right in sent else right

    def _judge_effects(self, shot: Shot, done: int) -> None:
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
        }[shot.effects]
        if shot.effects == "at most":
            self._before = previous
        if not fine:
            self._find("effects", shot, f"{done} effect(s)", wanted)

    def _judge_likeness(self, shot: Shot, reply: Reply) -> None:
        if self._wrong is None:
            wrong = refused(self._forge.wrong(self._forge.genuine()))
            self._wrong = self._receiver.fire(wrong).replies[0]
        if _looks(self._wrong) != _looks(reply):
            before_parsing = shot.label == "no JSON"
            came = f"{self._answered(reply)}; a wrong signature gets {self._answered(self._wrong)}"
            self._find(
                "verify first" if before_parsing else "no oracle",
                shot,
                came,
                "the same answer as to a wrong signature",
                None if before_parsing else "should",
            )

    def _judge_belief(self, shot: Shot) -> None:
        state = self._forge.handles.state
        believed = state() if state else None
        if believed != shot.believes:
            self._find(
                "effects", shot, f"it believes {believed!r}", f"{shot.believes!r}, as the API"
            )

    def _stays_healthy(self) -> None:
        shot = Shot(webhook=self._forge.genuine(), answers="accept", effects="any")
        reply = self._receiver.fire(shot).replies[0]
        if reply.answer is None or not reply.answer.accepted:
            came = self._answered(reply)
            self._find("health", shot, came, "to accept a genuine webhook right afterwards")

    def _answered(self, reply: Reply) -> str:
        return answered(reply.answer, self._forge.key, reply.trouble)

    def _find(
        self,
        oracle: Oracle,
        shot: Shot | None,
        got: str,
        expected: str,
        level: Level | None = None,
    ) -> None:
        sent = ""
        if shot is not None:
            path = self._receiver.shown_path(shot)
            key = self._forge.key
            sent = described(shot.webhook, shot.method, path, shot.label, key)
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


def _distinct(replies: tuple[Reply, ...]) -> Iterator[Reply]:
    """One reply of each kind: a thousand copies have one thing to say."""
    seen = set()
    for reply in replies:
        if (looks := _looks(reply)) not in seen:
            seen.add(looks)
            yield reply


def _looks(reply: Reply) -> tuple[int, bytes]:
    return (reply.answer.status_code, reply.answer.body) if reply.answer else (0, b"")
