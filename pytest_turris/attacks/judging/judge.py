"""The oracles: what is held against the answers, the time and the effects of one step."""

from collections.abc import Iterator

from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.description import Oracle, answered
from pytest_turris.attacks.judging.answers import (
    is_crash,
    is_expected_refusal,
    is_fine,
    wanted,
)
from pytest_turris.attacks.judging.case import Case
from pytest_turris.attacks.judging.leaks import (
    key_runs,
    leaks_of_answer,
    leaks_of_output,
    unknown_signatures,
)
from pytest_turris.attacks.judging.likeness import alike, meaning
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.series.standing import Standing
from pytest_turris.attacks.step import AttackStep, Examine, StepOutcome, refused
from pytest_turris.core.text.plurals import counted
from pytest_turris.receivers.exchange import WebhookResponse

Responses = tuple[ReceiverResponse, ...]

_NOTHING = "nothing done"
_NO_LIMIT_SEEN = (
    "{answer} to a large body, as to any forgery: the receiver shows no limit of its own, and in "
    "process the limit of its server is not seen. Run it against a URL"
)
_DO_NOTHING = "Answer as you do, and do nothing."


class Judge:
    """Judges the steps of one attack, in the order in which they are sent.

    Args:
        case: Where findings and notes go.
        receiver: The receiver under attack.
        context: Builds what is sent besides the steps.
        standing: What is known about the receiver.
    """

    def __init__(
        self, case: Case, receiver: Receiver, context: AttackContext, standing: Standing
    ) -> None:
        self._case = case
        self._receiver = receiver
        self._context = context
        self._standing = standing
        self._before = 0
        self._total = 0
        self._wrong: ReceiverResponse | None = None
        self._signatures: set[str] = set()
        """Right signatures of forgeries, which must not be shown."""
        self._sent: list[bytes] = []
        self._runs = key_runs(context.key)
        """Parts of the key that nothing has sent so far: to send them back shows nothing."""

    def step(self, step: AttackStep, responses: Responses, done: int) -> None:
        """Judge one step.

        Args:
            step: What was sent.
            responses: What came back, one for each copy.
            done: How many effects there were.
        """
        expected = step.expected
        stored = False
        unknown = self._unknown(step)
        self._signatures.update(unknown)
        sent = b"%b %b" % (step.webhook.body, ascii(step.webhook.header_lines).encode())
        self._runs = {run for run in self._runs if run.encode() not in sent}
        for response in _distinct(responses):
            if self._is_stored(step, response, done):
                stored = True
            else:
                self._status(step, response)
            if response.answer is not None:
                self._answer_leaks(step, response.answer, unknown)
            if step.transmission.never_ends:
                self._end(step, response)
        self._burst(step, responses)
        self._time(step, responses)
        if stored:
            self._case.notes.append(f"{step.label or 'the body'}: stored, to be looked at later")
        else:
            self._effects(step, responses, done)
        if expected.same_as_wrong_signature:
            self._likeness(step, responses[0])
        if expected.stored_status:
            self._belief(step)
        if step.examine is not None:
            self._examined(step, step.examine, responses, done)

    def _answer_leaks(
        self, step: AttackStep, answer: WebhookResponse, unknown: tuple[str, ...]
    ) -> None:
        for got, wished in leaks_of_answer(answer, self._context.key, self._runs, unknown):
            self._case.find("no leak", step, got, wished, "must")

    def _unknown(self, step: AttackStep) -> tuple[str, ...]:
        """The right signatures of a forgery that no body has said so far."""
        self._sent.append(step.webhook.body)
        unknown = unknown_signatures(self._context, step, self._receiver.shown_path(step))
        return tuple(one for one in unknown if not any(one.encode() in body for body in self._sent))

    def _examined(
        self, step: AttackStep, examine: Examine, responses: Responses, done: int
    ) -> None:
        """Let the attack itself look at what came of its step."""
        seen = StepOutcome(
            answer=responses[0].answer if responses else None,
            effects=done if self._receiver.observed else None,
            memory=responses[0].memory if responses else None,
            snapshot=self._receiver.snapshot,
        )
        for one in examine(seen):
            self._case.find(one.oracle, step, one.got, one.expected, one.level)

    def wanted_effects(self, step: AttackStep) -> int:
        """How many effects are worth a moment's wait, if they did not come with the answer."""
        if step.expected.patience:
            return 1
        first = 0 if self._total else 1
        return {"some": 1, "same": self._before, "first": first}.get(step.expected.effects, 0)

    def output(self, text: str) -> None:
        """Judge what the receiver printed and logged."""
        for got, wished in leaks_of_output(text, self._context.key, self._runs):
            self._case.find("no leak", None, got, wished, "must")
        if text and any(signature in text for signature in self._signatures):
            got = "the right signature of a forgery stands in its output"
            self._case.find("no leak", None, got, "log none that it computes", "should")

    def _status(self, step: AttackStep, response: ReceiverResponse) -> None:
        if is_crash(response) and not is_fine(step, response):
            level = self._case.crash_level(step)
            self._case.find("status", step, self._answered(response), wanted(step), level)
        elif response.answer is not None and response.answer.left_open:
            got = f"{self._answered(response)}, then an answer to another request"
            self._case.find("status", step, got, "the end of the connection after the answer")
        elif not is_fine(step, response):
            self._case.find("status", step, self._answered(response), wanted(step))

    def _is_stored(self, step: AttackStep, response: ReceiverResponse, done: int) -> bool:
        """Whether 2xx says no more than that the receiver has the bytes."""
        if not (step.expected.may_store and response.answer and response.answer.accepted):
            return False
        if self._receiver.observed and done == 0:
            return True
        return self._standing.stores_bodies(self._receiver, self._context)

    def _end(self, step: AttackStep, response: ReceiverResponse) -> None:
        """Whether a request was read to its end without a limit."""
        answer = response.answer
        if answer is None:
            self._case.notes.append(f"{step.label}: {response.reason}")
        elif answer.written:
            size = f"after {answer.written:,} bytes"
            self._case.notes.append(f"{step.label}: answered {size}")
            if answer.to_the_end and self._as_any_forgery(answer):
                got = (
                    f"{self._answered(response)} {size}, all there were: the answer to any forgery"
                )
                self._case.find("status", step, got, "an answer before the end, or 413")
        elif not self._receiver.is_url and self._as_any_forgery(answer):
            self._case.unseen = _NO_LIMIT_SEEN.format(answer=answer.status_code)

    def _as_any_forgery(self, answer: WebhookResponse) -> bool:
        """Whether an answer has the status of that to a wrong signature."""
        wrong = self._wrong_response().answer
        return wrong is not None and wrong.status_code == answer.status_code

    def _burst(self, step: AttackStep, responses: Responses) -> None:
        """What was not answered at once but alone, and whether any of them was accepted."""
        late = [one.reason for one in responses if one.answer is not None and one.reason]
        # A further burst of the same kind has nothing else to say.
        if late and not any(note.startswith(f"{step.label}: ") for note in self._case.notes):
            self._case.notes.append(
                f"{step.label}: {len(late)} of {len(responses)} at once got no answer ({late[0]}); "
                "sent again alone, they got one"
            )
        if len(responses) > 1 and _all_refused(step, responses):
            got = f"{self._answered(responses[0])} to all {len(responses)}"
            self._case.find("status", step, got, f"{wanted(step)} to one of them")

    def _time(self, step: AttackStep, responses: Responses) -> None:
        how, level = step.transmission, self._case.crash_level(step)
        if any(response.blocked for response in responses):
            others = "another connection, whose request did not end, was closed"
            if how.among:
                others = f"{len(how.among)} forged ones, which came at the same time"
            got = f"an answer only after {others}"
            self._case.find("time", step, got, "to serve others meanwhile", level)
        if how.copies > 1 or how.never_ends or how.alongside or how.among or not responses:
            return  # it takes as long as the sender does, or the others
        seconds = max(response.seconds for response in responses)
        limit = self._receiver.pace.limit(seconds, step.expected.within)
        if seconds > limit and all(response.answer for response in responses):
            expected = f"an answer within {limit:.1f} s: genuine webhooks get theirs sooner"
            self._case.find("time", step, f"after {seconds:.1f} s", expected, level)

    def _effects(self, step: AttackStep, responses: Responses, done: int) -> None:
        previous, self._before = self._before, done
        acted, self._total = self._total > 0, self._total + done
        if _all_refused(step, responses) or not self._receiver.sees(step):
            return
        expected, fine = {
            "none": (_NOTHING, done == 0),
            "some": ("something done", done > 0),
            "any": ("", True),
            "same": (f"as much done as by one ({previous})", done == previous),
            "at most": (f"no more done than for one ({previous})", done <= max(previous, 1)),
            "first": ("done once in all", done == 0 if acted else done > 0),
        }[step.expected.effects]
        if step.expected.effects == "at most":
            self._before = previous
        if not fine:
            # Advice about the answer does not fit where the answer is right.
            fix = _DO_NOTHING if step.expected.answers == "accept" and expected == _NOTHING else ""
            level = step.effects_level
            self._case.find("effects", step, counted(done, "effect"), expected, level, fix=fix)

    def _wrong_response(self) -> ReceiverResponse:
        """The response to a wrong signature, which is sent once."""
        if self._wrong is None:
            self._wrong = self._send_wrong()
        return self._wrong

    def _send_wrong(self) -> ReceiverResponse:
        wrong = refused(self._context.wrongly_signed(self._context.genuine()))
        return self._receiver.send(wrong)[0]

    def _likeness(self, step: AttackStep, response: ReceiverResponse) -> None:
        wrong = self._wrong_response()
        if response.answer is None or wrong.answer is None:
            return
        if alike(response.answer, wrong.answer, lambda: self._send_wrong().answer):
            return
        came = f"{self._answered(response)}; a wrong signature gets {self._answered(wrong)}"
        oracle: Oracle = "verify first" if step.label == "no JSON" else "no oracle"
        self._case.find(oracle, step, came, "the same answer as to a wrong signature", "should")

    def _belief(self, step: AttackStep) -> None:
        state = self._context.hooks.state
        believed = state() if state else None
        stored = step.expected.stored_status
        if believed != stored:
            got = f"it believes {believed!r}"
            self._case.find("effects", step, got, f"{stored!r}, as the API")

    def _answered(self, response: ReceiverResponse) -> str:
        return answered(response.answer, self._context.key, response.reason)


def _all_refused(step: AttackStep, responses: Responses) -> bool:
    """Whether no copy was accepted, and each got a status that is fine besides."""
    return bool(responses) and all(is_expected_refusal(step, one) for one in responses)


def _distinct(responses: Responses) -> Iterator[ReceiverResponse]:
    """One response of each kind: a thousand copies have one thing to say."""
    seen = set()
    for response in responses:
        looks = meaning(response.answer) if response.answer else (0, response.reason)
        if looks not in seen:
            seen.add(looks)
            yield response
