"""How serious a finding is follows from what a sender without the key gains."""

import contextlib
import hashlib
import hmac
import itertools
import json
from typing import Any, BinaryIO

import pytest
from doubles.attack_harness import attack_in_process, attack_over_socket, context_for
from doubles.receivers.bare_server import BadRequestError, BareServer, NoLimit
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp
from doubles.receivers.odd_ports import hangs_up_on_large_bodies, listening

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import ATTACKS, find_attack
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.families.advice import ACTING_IS_NOTED
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.series.standing import Standing
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.signature import SignatureScheme


class Ordinary:
    """A right verification, over parsers and frameworks as lenient as they come.

    It takes the first of several header lines, any content type, whatever ``json`` takes, and the
    last of repeated members; it acts on objects and lists alike.
    """

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.digests: set[bytes] = set()

    def effects(self) -> int:
        """How many entries there are."""
        return len(self.rows)

    def __call__(self, body: bytes, headers: Any) -> bool:
        """Verify, then act."""
        expected = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
        given = {name.lower(): value for name, value in headers.items()}
        signature = given.get("x-turris-signature", "").partition(",")[0].strip()
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return False
        return self.processed(body)

    def processed(self, body: bytes) -> bool:
        """Act once on a body that is an event; refuse what is not one."""
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            return False
        if hashlib.sha256(body).digest() in self.digests or not isinstance(event, dict):
            return isinstance(event, dict)
        self.digests.add(hashlib.sha256(body).digest())
        payload = event.get("payload")
        if event.get("upstreamEntityId") == "507f1f77bcf86cd799439010" and payload:
            self.rows += [
                str(entry) for entry in (payload if isinstance(payload, list) else [payload])
            ]
        return True


class Inbox(Ordinary):
    """Stores each signed body as it came, once, and looks at it later: the advice of WH-94."""

    def processed(self, body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        self.rows += [] if digest in self.digests else ["body"]
        self.digests.add(digest)
        return True


class Queue(Inbox):
    """Hands each signed body to a worker, which drops what is not an event for it."""

    def processed(self, body: bytes) -> bool:
        Ordinary.processed(self, body)
        return True


IN_PROCESS = [attack for attack in ATTACKS if attack.delivery == "anywhere"]
"""Without those that take a server, or an allowlist."""


def verdicts_on(receiver: Ordinary, *, observed: bool) -> list[Verdict]:
    """The full profile, as far as it needs no hook."""
    context = context_for(Backend(), ReceiverApp)
    context = AttackContext(factory=context.factory, hooks=ReceiverHooks())
    target = Receiver(receiver, effects=receiver.effects if observed else None)
    return [run_attack(attack, target, context) for attack in IN_PROCESS]


@pytest.mark.parametrize("observed", [True, False])
@pytest.mark.parametrize("receiver", [Ordinary, Queue])
def test_lenient_but_right_receiver_fails_no_must(
    receiver: type[Ordinary], *, observed: bool
) -> None:
    """What an RFC allows, and what takes the key to do, does not fail a receiver."""
    failed = [
        str(one) for one in verdicts_on(receiver(), observed=observed) if one.outcome == "failed"
    ]
    assert not failed, "\n".join(failed)


def test_inbox_fails_only_for_other_customers() -> None:
    """What stores everything that is signed mixes tenants, and nothing worse."""
    found = {one.check.id: one for one in verdicts_on(Inbox(), observed=True)}
    assert {id_ for id_, one in found.items() if one.outcome == "failed"} == {"WH-74"}
    assert found["WH-71"].outcome == found["WH-72"].outcome == "noted"


def test_advice_fits_what_happened() -> None:
    """A receiver that answers rightly and acts is not advised to answer so."""
    verdict = {one.check.id: one for one in verdicts_on(Inbox(), observed=True)}["WH-71"]
    assert [finding.fix for finding in verdict.findings] == ["Answer as you do, and do nothing."]
    assert "Answer 204" not in str(verdict)


def test_variants_have_levels_of_their_own() -> None:
    """One attack may have a variant that is worse than the others; its words are its own."""

    class PutsUnverified(ReceiverApp):
        """Verifies for POST alone, and takes any method."""

        def is_method(self, method: str) -> bool:
            return True

        def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                return super().answer(environ)
            self.backend.act(f"row {self.backend.effects()}", {})
            return 204, b""

    backend = Backend()
    receiver = Receiver(PutsUnverified([KEY], backend), "/webhooks", effects=backend.effects)
    verdict = run_attack(find_attack("WH-96"), receiver, context_for(backend, ReceiverApp))
    levels = {finding.sent.partition(": ")[0]: finding.level for finding in verdict.findings}
    assert (levels["PUT without a signature"], levels["PUT"]) == ("must", "should")
    assert verdict.outcome == "failed"
    assert "No sender uses this method" in str(verdict)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_page_says_where_acting_is_only_noted(attack: Attack) -> None:
    """The level on the page is that of the answer: what has another level is named."""
    steps = attack.steps(context_for(Backend(), ReceiverApp))
    levels = set()
    # An attack that goes by the answers to its steps gets none here, and has no part like this.
    with contextlib.suppress(Exception):
        levels = {step.effects_level for step in itertools.islice(steps, 5)}
    if attack.level != "info":
        assert ("info" in levels) <= attack.wants.endswith(ACTING_IS_NOTED)


def test_attacks_about_a_server_are_notes() -> None:
    """What only a server or a parser does is never more than ``info``."""
    about = {attack.id: attack.level for attack in ATTACKS if attack.about == "server"}
    assert set(about.values()) == {"info"}
    assert {"WH-28", "WH-30", "WH-33", "WH-34", "WH-35", "WH-36", "WH-56"} <= set(about)


def test_every_level_says_what_it_stands_on() -> None:
    """Attacks that cite an RFC name the section."""
    for attack in ATTACKS:
        cited = [text.strip() for text in attack.source.split("RFC ")[1:]]
        for text in cited:
            assert text[:4].isdigit(), attack.id


def test_methods_that_a_server_does_not_know() -> None:
    """501 refuses a method (RFC 9110, 15.6.2); a function has none to refuse."""

    class KnowsPost(ReceiverApp):
        """Behind the standard library's server, which answers 501 to what has no handler."""

        def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
            return super().answer(environ) if environ["REQUEST_METHOD"] == "POST" else (501, b"")

    backend = Backend()
    context = context_for(backend, ReceiverApp)
    receiver = Receiver(KnowsPost([KEY], backend), "/webhooks", effects=backend.effects)
    assert run_attack(find_attack("WH-96"), receiver, context).outcome == "passed"
    skipped = run_attack(find_attack("WH-96"), Receiver(lambda body, headers: True), context)
    assert (skipped.outcome, "sees no method" in skipped.reason) == ("skipped", True)


def test_server_that_hangs_up_has_a_limit() -> None:
    """To close the connection on a body that is too large is to refuse it."""
    context = context_for(Backend(), ReceiverApp)
    with listening(hangs_up_on_large_bodies) as port:
        verdict = run_attack(find_attack("WH-67"), Receiver(f"http://127.0.0.1:{port}/"), context)
    assert verdict.outcome == "not observed", verdict
    assert [note.partition(": ")[0] for note in verdict.notes] == ["with its length", "in chunks"]


def test_limit_of_a_server_is_not_seen_in_process() -> None:
    """What reads a large body is neither accused nor passed: its server may have a limit."""

    class Unlimited(ReceiverApp):
        """Reads all there is."""

        inbox_class = NoLimit

    verdict = attack_in_process("WH-67", Unlimited)
    assert verdict.outcome == "not observed", verdict
    assert "Run it against a URL" in verdict.reason
    assert attack_in_process("WH-67", ReceiverApp).outcome == "passed"


def test_length_is_limited_as_chunks_are() -> None:
    """A receiver that answers 411 to chunks may read any length that is announced."""

    class TakesNoChunks(BareServer):
        """Refuses chunks, whatever comes in them."""

        def _chunks(self, reader: BinaryIO) -> bytes:
            raise BadRequestError

    with TakesNoChunks("WH-67").open() as server:
        verdict = attack_over_socket("WH-67", server)
    assert verdict.outcome == "failed", verdict
    assert [finding.got[:14] for finding in verdict.findings] == ["401 after 67,1"]


def test_scheme_that_cannot_sign_what_is_not_json() -> None:
    """Where only a member of the body is signed, a receiver is not known to store bodies."""
    context = context_for(Backend(), ReceiverApp, scheme=SignatureScheme(signs="payload"))
    receiver = Receiver(lambda body, headers: True)
    assert Standing().stores_bodies(receiver, context) is False
