"""Attacks that go by the event, by switches and by what shows later: what they catch and spare."""

from typing import Any

import pytest
from doubles.attack_harness import attack_in_process, context_for
from doubles.receivers import (
    broken_aftermath,
    broken_bytes,
    broken_claims,
    broken_injection,
    broken_protocols,
    broken_switches,
    broken_types,
)
from doubles.receivers.all_broken import BROKEN
from doubles.receivers.correct import CORRECT
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp
from doubles.receivers.registry import as_app

from pytest_turris.attacks.catalogue import ATTACKS, find_attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.own_payload import OwnPayload
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureError

FIRST = 112
IDS = [attack.id for attack in ATTACKS if int(attack.id.removeprefix("WH-")) >= FIRST]
ACCUSED = {"failed", "warned"}

MORE_BROKEN: list[tuple[str, type[Any]]] = [
    ("WH-112", broken_types.VerifiesIfThere),
    ("WH-113", broken_types.FirstState),
    ("WH-128", broken_types.DropsTheRest),
    ("WH-128", broken_types.FirstEntry),
    ("WH-117", broken_switches.DryRunText),
    ("WH-117", broken_switches.Environment),
    ("WH-117", broken_switches.Ping),
    ("WH-118", broken_switches.KnownAgent),
    ("WH-119", broken_switches.AnyKey),
    ("WH-120", broken_switches.ForwardedLocalhost),
    ("WH-121", broken_switches.WeakerScheme),
    ("WH-122", broken_bytes.EmptyRawText),
    ("WH-123", broken_bytes.OpenMultipart),
    ("WH-124", broken_bytes.DropsBadBytes),
    ("WH-01", broken_bytes.ReadsLatin1),
    ("WH-125", broken_bytes.VerifiesInflated),
    ("WH-127", broken_bytes.UndefinedKey),
    ("WH-127", broken_bytes.NamesOfObjects),
    ("WH-129", broken_aftermath.MergesConstructors),
    ("WH-129", broken_aftermath.SharesHeaders),
    ("WH-130", broken_aftermath.AssignsKeys),
    ("WH-133", broken_injection.QueryOfIds),
    ("WH-134", broken_injection.LogsRefused),
    ("WH-140", broken_injection.FetchesNested),
    ("WH-142", broken_protocols.KeyInTheBody),
    ("WH-143", broken_protocols.ShowsTheSignature),
    ("WH-146", broken_claims.Mode),
    ("WH-148", broken_claims.OverriddenByQuery),
    ("WH-149", broken_claims.AsksHost),
    ("WH-154", broken_claims.CutsShort),
    ("WH-154", broken_claims.Sorts),
    ("WH-87", broken_claims.AgentIsIdentity),
]


@pytest.mark.parametrize(("id_", "broken"), MORE_BROKEN)
def test_other_bugs_of_the_kind_are_caught(id_: str, broken: type[Any]) -> None:
    """An attack catches its kind of bug, not one example of it."""
    verdict = attack_in_process(id_, as_app(broken))
    assert verdict.outcome in ACCUSED, f"{verdict} {verdict.reason}"


def test_a_bug_that_hides_another_is_named() -> None:
    """Where all events of an entity are one, nothing can be said about small differences."""
    verdict = attack_in_process("WH-154", as_app(BROKEN["WH-92"]))
    assert verdict.outcome == "skipped"
    assert verdict.reason == "the receiver takes all such events for one: see WH-92"


@pytest.mark.parametrize("observed", [True, False], ids=["effects", "answers"])
@pytest.mark.parametrize("correct", CORRECT, ids=lambda one: one.__name__)
def test_no_correct_receiver_is_accused(correct: type[Any], observed: bool) -> None:
    """What standards and the documentation allow is no finding, whatever the style."""
    verdicts = [attack_in_process(id_, correct, observed=observed) for id_ in IDS]
    accused = [verdict for verdict in verdicts if verdict.outcome in ACCUSED]
    assert not accused, "\n".join(map(str, accused))
    assert {verdict.outcome for verdict in verdicts} <= {"passed", "not observed", "skipped"}


def test_every_attack_takes_a_payload_of_another_sender() -> None:
    """What has no meaning for it is skipped; nothing fails for the lack of Turris' members."""
    sandbox = Sandbox(Options(webhook_secret=KEY), name="own")
    payload = OwnPayload(b'{"ref":"refs/heads/main","id":"{{id}}"}', sandbox.new_object_id)
    context = AttackContext(factory=WebhookFactory.of(sandbox), payload=payload)
    verify = context.factory.verify

    def receive(body: bytes, headers: Any) -> bool:
        try:
            verify(body, headers)
        except SignatureError:
            return False
        return True

    receiver = Receiver(receive)
    verdicts = [run_attack(find_attack(id_), receiver, context) for id_ in IDS]
    outcomes = {verdict.check.id: verdict.outcome for verdict in verdicts}
    assert set(outcomes.values()) <= {"not observed", "skipped"}, outcomes
    assert {"WH-117", "WH-118", "WH-122", "WH-129"} <= {
        id_ for id_, outcome in outcomes.items() if outcome == "not observed"
    }


def test_challenge_as_text_is_no_markup() -> None:
    """Browsers run no text: what is repeated so is fine."""
    verdict = attack_in_process("WH-143", broken_protocols.RepeatsItAsText)
    assert verdict.outcome == "passed", str(verdict)


@pytest.mark.parametrize("rows", [True, False], ids=["rows", "page"])
@pytest.mark.parametrize(
    ("app", "outcome"),
    [(broken_types.FirstEntry, "warned"), (broken_types.EveryEntry, "passed")],
)
def test_each_entity_of_a_batch_is_looked_for(app: type[Any], outcome: str, rows: bool) -> None:
    """Where the first is on a page, or in rows, each of the others has to be there."""
    backend = Backend()
    hooks: dict[str, Any] = {"shown": None} if rows else {}
    context = context_for(backend, as_app(app), **hooks)
    effects: Any = (lambda: backend.shown) if rows else backend.effects
    receiver = Receiver(as_app(app)([KEY], backend), "/webhooks", effects=effects)
    verdict = run_attack(find_attack("WH-128"), receiver, context)
    assert verdict.outcome == outcome, str(verdict)


@pytest.mark.parametrize("id_", ["WH-112", "WH-122", "WH-123", "WH-124", "WH-127", "WH-117"])
def test_forgeries_are_seen_without_effects(id_: str) -> None:
    """A receiver that acts on forgeries is told by its answers alone."""
    assert attack_in_process(id_, BROKEN[id_], observed=False).outcome == "failed"
    assert attack_in_process(id_, ReceiverApp, observed=False).outcome == "not observed"
