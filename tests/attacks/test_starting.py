"""Receivers that refuse to start with a key, each in its own way."""

import socket

import pytest
from doubles.attack_harness import context_for
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack


@pytest.mark.parametrize("id_", ["WH-40", "WH-47", "WH-48"])
def test_what_listens_and_answers_nothing_has_not_started(id_: str) -> None:
    """A server such as gunicorn keeps the port of an application that refuses to start."""
    backend = Backend()
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        context = context_for(backend, ReceiverApp, with_keys=lambda _keys: url)
        app = ReceiverApp([KEY], backend)
        receiver = Receiver(app, "/webhooks", effects=backend.effects, timeout=0.1)
        verdict = run_attack(find_attack(id_), receiver, context)
    assert verdict.outcome == "passed", str(verdict)


class FailsWithOtherKeys(ReceiverApp):
    """Answers 500 to what is signed with a key of its own."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        status, text = super().receive(lines, body)
        return (500, b"") if status == 401 else (status, text)


def test_failure_under_a_short_key_is_no_worse_than_to_take_it() -> None:
    """The page says should: it takes the key of the receiver to send such a webhook."""
    backend = Backend()

    def with_keys(keys: list[str]) -> ReceiverApp:
        return (ReceiverApp if keys == [KEY] else FailsWithOtherKeys)([KEY], backend)

    context = context_for(backend, ReceiverApp, with_keys=with_keys)
    receiver = Receiver(ReceiverApp([KEY], backend), "/webhooks", effects=backend.effects)
    assert run_attack(find_attack("WH-48"), receiver, context).outcome == "warned"
