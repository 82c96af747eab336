"""Each attack catches the receiver that is broken for it, and no good one."""

import re
from typing import Any

import pytest
from doubles.attack_harness import attack_in_process, attack_over_socket
from doubles.mutation_record import Record
from doubles.receivers import (
    broken_behaviour,
    broken_body,
    broken_injection,
    broken_keys,
    broken_signature,
)
from doubles.receivers.all_broken import BROKEN
from doubles.receivers.bare_server import LENIENT, BareServer
from doubles.receivers.good_receiver import ALLOWED, ReceiverApp
from doubles.receivers.set_up import OneTypeInbox

from pytest_turris.attacks.catalogue import ATTACKS, find_attack
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.time_travel.travel import TimeTravel
from pytest_turris.webhooks.signature import SignatureScheme

ON_A_SOCKET = {attack.id for attack in ATTACKS if attack.delivery == "socket"} | {"WH-32", "WH-141"}
ONE_EVENT: dict[str, Any] = {"PRODUCER_AGREEMENT_EXECUTED": {}}
FINDINGS = {"failed", "warned", "noted"}
IDS = [attack.id for attack in ATTACKS if attack.id not in ON_A_SOCKET]
ALWAYS_NOTED = {"WH-49", "WH-99"}


class AllowlistApp(ReceiverApp):
    """A good door with an allowlist, which the healthy deliveries pass."""

    allowlist = True

    def is_allowed(self, environ: dict[str, Any]) -> bool:
        return environ["REMOTE_ADDR"].removeprefix("::ffff:") in (ALLOWED, "127.0.0.1")


class OneTypeApp(ReceiverApp):
    """A good door for one type of event."""

    inbox_class = OneTypeInbox


def good_app(id_: str, broken: type[ReceiverApp]) -> type[ReceiverApp]:
    """The good counterpart of a broken receiver."""
    if broken.encoding == "base64":
        return broken_signature.Base64App
    if id_ in ("WH-80", "WH-81", "WH-82", "WH-83"):
        return AllowlistApp
    if id_ == "WH-57":
        return broken_body.AsgiReceiverApp
    if id_ in ("WH-134", "WH-135", "WH-136", "WH-139"):
        return broken_injection.CarefulApp
    return OneTypeApp if id_ == "WH-89" else ReceiverApp


def options_for(id_: str, app_class: type[ReceiverApp]) -> dict[str, Any]:
    """What the attack needs."""
    scheme = SignatureScheme(encoding=app_class.encoding)
    return {"scheme": scheme} | ({"events": ONE_EVENT} if id_ == "WH-89" else {})


def test_every_attack_has_a_broken_receiver(record: Record) -> None:
    """No attack is without a receiver that it must catch, in the record too."""
    assert {*BROKEN, *LENIENT} == {attack.id for attack in ATTACKS}
    if not record.writing:
        assert set(record.rows) == {*map(in_process, IDS), *map(on_a_socket, LENIENT)}


def test_record_is_held_against_a_run() -> None:
    """A receiver that is no longer caught, or caught otherwise, does not go unnoticed."""
    recorded = Record(writing=False)
    for verdict, words in (
        (attack_in_process("WH-02", ReceiverApp), "Verifies only what is signed."),
        (attack_in_process("WH-02", BROKEN["WH-02"]), "Something else."),
        (attack_in_process("WH-02", broken_behaviour.Sickens), "Verifies only what is signed."),
    ):
        with pytest.raises(AssertionError, match="run 'make mutations' if this is right"):
            recorded.take("WH-02 in process", "broken", words, verdict)


def in_process(id_: str) -> str:
    """The row of an attack on an application."""
    return f"{id_} in process"


def on_a_socket(id_: str) -> str:
    """The row of an attack on a server."""
    return f"{id_} on a socket"


@pytest.fixture
def travel() -> Any:
    """Time that passes for everybody."""
    made = TimeTravel(Sandbox())
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("id_", IDS)
def test_broken_receiver_is_caught(id_: str, travel: TimeTravel, record: Record) -> None:
    """The receiver that is broken for an attack does not withstand it."""
    broken_keys.PublicKey.client_id = "turris_sandbox_client_x"
    verdict = attack_in_process(
        id_,
        BROKEN[id_],
        advance=travel.advance,
        client_id="turris_sandbox_client_x",
        **options_for(id_, BROKEN[id_]),
    )
    assert verdict.outcome in FINDINGS, verdict
    record.take(in_process(id_), "broken", str(BROKEN[id_].__doc__), verdict)


@pytest.mark.parametrize("id_", IDS)
def test_good_receiver_is_not_caught(id_: str, travel: TimeTravel, record: Record) -> None:
    """A good receiver withstands every attack, with its effects observed."""
    app_class = good_app(id_, BROKEN[id_])
    verdict = attack_in_process(
        id_,
        app_class,
        advance=travel.advance,
        **options_for(id_, BROKEN[id_]),
    )
    wanted = "noted" if id_ in ALWAYS_NOTED else "passed"
    assert verdict.outcome == wanted, f"{verdict} {verdict.reason}"
    record.take(in_process(id_), "good", str(app_class.__doc__), verdict)


@pytest.mark.parametrize("id_", LENIENT)
def test_lenient_server_is_caught(id_: str, record: Record) -> None:
    """A server that is lenient in one way does not withstand the attack on it."""
    with BareServer(id_).open() as server:
        verdict = attack_over_socket(id_, server)
    attack = find_attack(id_)
    level = "info" if attack.about == "server" else attack.level
    assert verdict.outcome == {"must": "failed", "should": "warned", "info": "noted"}[level]
    record.take(on_a_socket(id_), "broken", "A server that is lenient in this.", verdict)


@pytest.mark.parametrize("id_", LENIENT)
def test_strict_server_is_not_caught(id_: str, record: Record) -> None:
    """A strict server withstands the attacks that take a socket."""
    with BareServer().open() as server:
        verdict = attack_over_socket(id_, server)
    assert verdict.outcome == "passed", f"{verdict} {verdict.reason}"
    record.take(on_a_socket(id_), "good", "A strict server.", verdict)


def test_how_much_of_a_body_was_taken_is_noted() -> None:
    """A server that reads on is told from one that stops, and how far it read is said."""
    with BareServer().open() as server:
        stops = attack_over_socket("WH-67", server)
    with BareServer("WH-67").open() as server:
        reads_on = attack_over_socket("WH-67", server)
    for size, note in zip(("with its length", "in chunks"), stops.notes, strict=True):
        assert re.match(rf"{size}: .*(answered|closed) after [0-9,]+ bytes", note)
    assert stops.outcome == "passed"
    got = [finding.got for finding in reads_on.findings]
    assert [
        text.startswith(start)
        for text, start in zip(got, ("401 after 67,1", "401 after 67,1"), strict=True)
    ] == [True, True]


@pytest.mark.parametrize(
    ("app_class", "id_", "oracle"),
    [
        (broken_behaviour.Leaks, "WH-02", "no leak"),
        (broken_behaviour.TellsMissingFromWrong, "WH-02", "no oracle"),
        (broken_behaviour.ParsesFirst, "WH-50", "verify first"),
        (broken_behaviour.Sickens, "WH-02", "health"),
        (broken_signature.ByEqualsApp, "WH-05", "constant time"),
        (BROKEN["WH-26"], "WH-26", "time"),
        (BROKEN["WH-02"], "WH-02", "status"),
        (BROKEN["WH-84"], "WH-84", "effects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.usefixtures("travel")  # where a sleep is as long as it says, however busy the machine
def test_every_oracle_can_fail(app_class: type[ReceiverApp], id_: str, oracle: str) -> None:
    """Each oracle finds a receiver that is broken for it."""
    assert oracle in {finding.kind for finding in attack_in_process(id_, app_class).findings}


def test_nothing_passes_without_a_probe() -> None:
    """Without an effects probe a good receiver is not observed, never passed."""
    assert attack_in_process("WH-02", ReceiverApp, observed=False).outcome == "not observed"
    assert attack_in_process("WH-02", ReceiverApp).outcome == "passed"
