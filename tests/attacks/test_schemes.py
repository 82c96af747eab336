"""Attacks follow the signature scheme: signed times, keys in base64."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from doubles.attack_harness import attack_in_process
from doubles.receivers.broken_keys import KeyDecoded, takes_also
from doubles.receivers.broken_times import Floors, NoTolerance, OnlyTooOld, Stamped
from doubles.receivers.good_receiver import ReceiverApp, StatusInbox

from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.attacks.context import AttackContext
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.schemes import SCHEMES
from pytest_turris.webhooks.signature import SignatureError, SignatureScheme

TIMED = SignatureScheme(timestamped=True)
KEY_IN_BASE64 = SignatureScheme(key_form="base64")
KEY = base64.b64encode(b"turris_sandbox_whsec_0123456789abcdef").decode()


def app_for(inbox: type[StatusInbox]) -> type[ReceiverApp]:
    """A door over an inbox."""
    return type(inbox.__name__, (ReceiverApp,), {"inbox_class": inbox})


def labels(verdict: Any) -> list[str]:
    """Which variants of the attack were found, each by its status and its effects."""
    found = [finding.sent.partition(": ")[0] for finding in verdict.findings]
    assert {finding.kind for finding in verdict.findings} <= {"status", "effects"}
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("inbox", "found"),
    [
        (Stamped, []),
        (OnlyTooOld, []),
        (NoTolerance, ["signed a day ago"]),
        (Floors, []),
    ],
)
def test_signed_times(inbox: type[Stamped], found: list[str]) -> None:
    """Where the time is signed, one that is long past is refused; others harm nobody."""
    verdict = attack_in_process("WH-86", app_for(inbox), scheme=TIMED, advance=None)
    assert labels(verdict) == found
    assert verdict.outcome == ("failed" if found else "passed")


def test_signed_times_and_time_travel() -> None:
    """With a movable clock the same bytes are sent later too, and are refused."""
    travel = TimeTravel(Sandbox())
    travel.start()
    try:
        verdict = attack_in_process("WH-86", app_for(Stamped), scheme=TIMED, advance=travel.advance)
    finally:
        travel.stop()
    assert verdict.outcome == "passed", verdict


def test_without_a_signed_time_the_clock_has_to_move() -> None:
    """Nothing can be said of late replays without either."""
    verdict = attack_in_process("WH-86", ReceiverApp, advance=None)
    assert (verdict.outcome, "turris_time" in verdict.reason) == ("not observed", True)


@pytest.mark.parametrize(
    ("also", "found"),
    [
        ((), []),
        ((KEY.encode(),), ["as it is written"]),
        ((base64.b64decode(KEY).hex().encode(),), ["encoded in hexadecimal"]),
    ],
)
def test_keys_in_base64(also: tuple[bytes, ...], found: list[str]) -> None:
    """Where a key stands for bytes in base64, other readings of it are refused."""
    app_class = app_for(takes_also(*also, base=KeyDecoded))
    verdict = attack_in_process("WH-46", app_class, key=KEY, scheme=KEY_IN_BASE64)
    assert labels(verdict) == found


def test_keys_decoded_twice() -> None:
    """A key that is base64 inside base64 has one right reading."""
    twice = base64.b64encode(KEY.encode()).decode()
    inner = base64.b64decode(KEY)
    app_class = app_for(takes_also(inner, base=KeyDecoded))
    verdict = attack_in_process("WH-46", app_class, key=twice, scheme=KEY_IN_BASE64)
    assert labels(verdict) == ["decoded again, from base64"]


class References:
    """Receivers that verify with the reference verifier, each with keys of its own."""

    def __init__(self, **options: Any) -> None:
        self.sandbox = Sandbox(Options(**options), name="reference")
        self.factory = WebhookFactory.of(self.sandbox)

    def __call__(self, keys: Sequence[str]) -> Callable[[bytes, Any], bool]:
        """One with these keys, which it strips, and refuses if they are short."""
        stripped = [key.strip() for key in keys]
        if min(map(len, stripped)) < 24:
            raise ValueError("a key is missing or too short")

        def verify(body: bytes, headers: Any) -> bool:
            return any(self.is_genuine(body, headers.items(), key) for key in stripped)

        return verify

    def is_genuine(self, body: bytes, lines: Any, key: str) -> bool:
        """Whether a key verifies."""
        try:
            self.factory.scheme.verify(body, lines, key, now=self.sandbox.clock.now())
        except SignatureError:
            return False
        return True


@pytest.mark.parametrize(
    "options",
    [
        {"signature_encoding": "base64"},
        {"signature_prefix": "sha256="},
        {"signature_timestamped": True},
        {"signature_signs": "payload"},
        {"signature_key": "base64", "webhook_secret": KEY},
        {"signature_encoding": "base64", "signature_prefix": "v1,", "signature_timestamped": True},
        {"signature_signs": "payload", "signature_key": "base64", "webhook_secret": KEY},
        {"signature_list_separator": ","},
        *({"signature_scheme": name, "webhook_secret": KEY} for name in SCHEMES),
    ],
    ids=lambda options: "-".join(map(str, options.values())).replace(KEY, "key"),
)
def test_reference_verifier_withstands_all_under_every_scheme(options: dict[str, Any]) -> None:
    """Whatever the scheme, no attack on signature or key finds anything about a right receiver."""
    references = References(**options)
    client_id = references.sandbox.client.client_id
    hooks = ReceiverHooks(with_keys=references, client_id=client_id)
    context = AttackContext(factory=references.factory, hooks=hooks)
    receiver = Receiver(references([references.factory.key]))
    attacks = [one for one in ATTACKS if one.family in ("signature", "keys")]
    found = [v for v in (run_attack(one, receiver, context) for one in attacks) if v.findings]
    assert not found, "\n".join(map(str, found))
