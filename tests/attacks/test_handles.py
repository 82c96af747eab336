"""What a test passes so that more can be seen: pages, the log, a restart, requests to the API."""

import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import Iterable
from typing import Any, Literal

import pytest
from doubles.attack_harness import attack_in_process, attack_over_socket, context_for
from doubles.attacked_project import run
from doubles.receivers.all_broken import BROKEN
from doubles.receivers.bare_server import BareServer
from doubles.receivers.broken_injection import CarefulApp
from doubles.receivers.good_receiver import (
    ENTITY,
    KEY,
    Backend,
    ReceiverApp,
    StatusInbox,
)
from doubles.receivers.odd_ports import hangs_up, listening, says

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.context import ALL_EVENTS
from pytest_turris.attacks.families import aftermath
from pytest_turris.attacks.hooks import HookError
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.series.standing import Standing
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.signature import SignatureScheme

HOOKS = ("shown", "log", "restart", "api_paths")


@pytest.mark.parametrize(
    ("id_", "names"),
    [
        ("WH-132", ("restart",)),
        ("WH-134", ("log",)),
        ("WH-135", ("shown",)),
        ("WH-136", ("shown", "log")),
        ("WH-139", ("turris",)),
    ],
)
def test_nothing_passes_without_its_hook(id_: str, names: tuple[str, ...]) -> None:
    """What cannot be seen is not observed, and the reason says what to pass."""
    none: dict[str, Any] = dict.fromkeys(HOOKS)
    verdict = attack_in_process(id_, ReceiverApp, **none)
    assert verdict.outcome == "not observed"
    assert all(name in verdict.reason for name in names)


def test_receiver_that_asks_the_api_for_nothing_is_left_out() -> None:
    """Where no request is made, no request can go elsewhere."""
    verdict = attack_in_process("WH-139", ReceiverApp)
    assert (verdict.outcome, verdict.reason) == (
        "skipped",
        "the receiver asks the API for nothing after a webhook",
    )


def test_log_alone_is_enough_for_templates() -> None:
    """One of the two hooks is enough to look for the result of an expression."""
    assert attack_in_process("WH-136", CarefulApp, shown=None).outcome == "passed"


def test_key_in_the_log_is_found() -> None:
    """The log is searched for the key, too."""
    logged = ["started"]

    def log() -> str:
        logged.append(f"with {KEY}")
        return "\n".join(logged)

    verdict = attack_in_process("WH-134", ReceiverApp, log=log)
    assert "the key stands in the log" in {finding.got for finding in verdict.findings}


def test_computed_signature_in_the_log_is_found() -> None:
    """Whoever reads there what the receiver expected can send the forgery again, signed."""
    logged = ["started"]

    class Logs(ReceiverApp):
        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            expected = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
            logged.append(f"expected {expected}")
            return super().receive(lines, body)

    verdict = attack_in_process("WH-02", Logs, log=lambda: "\n".join(logged))
    (finding,) = verdict.findings
    assert finding.got == "the right signature of a forgery stands in its output"
    assert (verdict.outcome, finding.level) == ("warned", "should")


def test_hook_must_return_a_text() -> None:
    """A mistake of the test is said to be one."""
    with pytest.raises(HookError, match=r"log\(\) must return a text, not list"):
        attack_in_process("WH-134", ReceiverApp, log=lambda: ["a line"])


def test_hook_may_be_async() -> None:
    """Pages that are read by an async client are awaited."""

    async def shown() -> str:
        return "<turris-x>"

    assert attack_in_process("WH-135", ReceiverApp, shown=shown).outcome == "failed"


@pytest.mark.parametrize("id_", ["WH-112", "WH-113", "WH-128", "WH-140"])
def test_types_that_are_not_acted_on_are_not_sent(id_: str) -> None:
    """Where ``events`` is given, other types are left out."""
    events: Any = {"PRODUCER_AGREEMENT_EXECUTED": {}}
    broken = BROKEN["WH-112" if id_ == "WH-112" else "WH-113"]
    assert attack_in_process(id_, broken, events=events).outcome in ("passed", "skipped")


NAMED: Any = {"PRODUCER_AGREEMENT_EXECUTED": {"downstreamEntityAssociationId": "1" * 24}}


def test_members_that_the_test_gives_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``events`` gives members, nothing is added to the event beside them."""
    bodies: list[bytes] = []

    class Keeps(ReceiverApp):
        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            bodies.append(body)
            return super().receive(lines, body)

    assert attack_in_process("WH-116", Keeps, events=NAMED).outcome == "passed"
    named = [body for body in bodies if b'"form"' in body]
    assert named
    assert not any(b'"note"' in body for body in named)
    bodies.clear()
    attack_in_process("WH-116", Keeps, events={"PRODUCER_AGREEMENT_EXECUTED": {}})
    assert all(b'"note"' in body for body in bodies if b'"form"' in body)


def test_given_members_stay_in_each_entity_of_a_batch() -> None:
    """They are the same in all of them; what is not given differs."""
    bodies: list[bytes] = []

    class Keeps(ReceiverApp):
        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            bodies.append(body)
            return super().receive(lines, body)

    given = {"legalName": "Pe\u00f1a Agency"}
    verdict = attack_in_process("WH-128", Keeps, events={"AGENT_COMPLIANCE_STATUS_CHANGE": given})
    assert verdict.outcome == "passed"
    batches = [json.loads(body)["payload"] for body in bodies]
    few = next(batch for batch in batches if 1 < len(batch) < 100)
    assert {entry["legalName"] for entry in few} == {given["legalName"]}
    assert len({entry["npn"] for entry in few}) == len(few)


class HangsUp(StatusInbox):
    """Closes the connection on a type that it does not know, without an answer."""

    def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> int:
        known = any(name.encode() in body for name in ALL_EVENTS)
        return super().receive(headers, body) if known else 0


def test_type_without_an_answer_is_not_acted_on() -> None:
    """To hang up on an unknown type is no bug, and tells that the others are acted on."""
    server = BareServer()
    server._inbox = HangsUp([KEY], ENTITY, server.backend.act)
    server._inbox.backend = server.backend
    with server.open():
        verdict = attack_over_socket("WH-112", server)
    assert verdict.outcome == "passed", str(verdict)


@pytest.mark.parametrize(
    ("id_", "label"), [("WH-114", "without payload"), ("WH-125", "signed as inflated")]
)
@pytest.mark.parametrize("signs", ["body", "payload"])
def test_what_cannot_be_signed_is_not_sent(
    id_: str, label: str, signs: Literal["body", "payload"]
) -> None:
    """Where the payload alone is signed, an event without one has no right signature."""
    context = context_for(Backend(), ReceiverApp, scheme=SignatureScheme(signs=signs))
    labels = [step.label for step in find_attack(id_).steps(context)]
    assert len(labels) > 1
    assert any(one.endswith(label) for one in labels) == (signs == "body")


class TakesAgreements(ReceiverApp):
    """Refuses every type but agreements."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        agreement = b"PRODUCER_AGREEMENT" in body
        return super().receive(lines, body) if agreement else (400, b"")


def test_type_that_is_refused_has_no_large_batch() -> None:
    """A receiver that takes no status events has no batches to lose."""
    assert attack_in_process("WH-128", TakesAgreements).outcome == "skipped"


@pytest.mark.parametrize("observed", [True, False])
def test_type_that_is_refused_is_not_forged(observed: bool) -> None:
    """What a receiver acts on is found by effects, or else by its answers."""
    verdict = attack_in_process("WH-112", TakesAgreements, observed=observed)
    assert verdict.outcome == ("passed" if observed else "not observed")


ASKS = """
import json, os, httpx, pytest
from receiver import verify

def receive(body, headers):
    fine = verify(body, headers)
    payload = json.loads(body)["payload"] if fine else {}
    if isinstance(payload, dict) and payload:
        id_ = payload.get("downstreamEntityAssociationId")
        httpx.get(f"{os.environ['TURRIS_BASE_URL']}/agencies/{id_}")
    return fine

@pytest.mark.turris(attack_profile="full", fail_on_refusal=False)
def test_receiver(turris, turris_webhook_attack):
    turris_webhook_attack.run(receive, log=lambda: "", shown=lambda: "", restart=lambda: None)
"""


def test_requests_to_the_sandbox_are_seen(pytester: pytest.Pytester) -> None:
    """In a test the journal of the sandbox shows where an id has led the receiver."""
    result = run(pytester, ASKS, args=("-k", "WH-139"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*it asked for */turris-elsewhere*"])


def restarted(there: str) -> Verdict:
    """WH-132 on a good server, which answers somewhere else after the restart."""
    with BareServer().open() as server:
        receiver = Receiver(server.url, effects=server.backend.effects)
        context = context_for(server.backend, ReceiverApp, restart=lambda: there)
        return run_attack(find_attack("WH-132"), receiver, context)


def test_receiver_that_does_not_come_back_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a start takes says nothing about what is remembered."""
    monkeypatch.setattr(aftermath, "_START", 0.0)
    with listening(hangs_up) as port:
        verdict = restarted(f"http://127.0.0.1:{port}/webhooks")
    assert verdict.outcome == "not observed"
    assert verdict.reason == "no answer within 0 s after it was started again"


def test_receiver_that_is_stopped_for_good_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start that failed is not taken for what the webhook before it has done."""
    monkeypatch.setattr(aftermath, "_START", 0.0)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(BareServer().open())
        receiver = Receiver(server.url, effects=server.backend.effects)
        context = context_for(server.backend, ReceiverApp, restart=stack.close)
        standing = Standing()
        verdict = run_attack(find_attack("WH-132"), receiver, context, standing)
    assert (verdict.outcome, verdict.findings) == ("not observed", ())
    assert standing.cause.startswith("gone since WH-132")


def test_receiver_that_starts_slowly_is_waited_for() -> None:
    """It may reset its first connections."""
    seen: list[socket.socket] = []

    def starts(line: socket.socket) -> None:
        seen.append(line)
        hangs_up(line) if len(seen) == 1 else says(b"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n")(
            line
        )

    with listening(starts) as port:
        verdict = restarted(f"http://127.0.0.1:{port}/webhooks")
    # It does nothing there, which is all that is said.
    assert [(one.kind, one.got) for one in verdict.findings] == [("effects", "0 effects")]
