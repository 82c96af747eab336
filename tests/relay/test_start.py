"""A run that begins while the shared server is still starting."""

import threading

import pytest
from doubles.ports import free_port
from doubles.served_here import served

from mock_server.serving.server import ServerSettings
from pytest_turris.relay import client
from pytest_turris.relay.client import NothingListensError, Relay

TOKEN = "turris_sandbox_control_of_the_test"


def test_waits_for_a_server_that_is_still_starting() -> None:
    """The first refused connection is no failure."""
    port, over = free_port(), threading.Event()
    refused = threading.Event()

    def serve() -> None:
        refused.wait(0.3)
        with served(settings=ServerSettings(port=port, control_token=TOKEN)):
            over.wait(10)

    server = threading.Thread(target=serve)
    server.start()
    try:
        relay = Relay(f"http://127.0.0.1:{port}", TOKEN, workers=1, context=None)
        relay.stop()
    finally:
        over.set()
        server.join(10)


def test_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never comes is reported with its address."""
    monkeypatch.setattr(client, "_START_SECONDS", 0.2)
    with pytest.raises(NothingListensError, match="nothing answers at"):
        Relay(f"http://127.0.0.1:{free_port()}", TOKEN, workers=1, context=None)
