"""Which steps can be sent to which kind of receiver, and the hooks around them."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import flask
import pytest
from doubles.attack_harness import context_for
from doubles.fixed_webhooks import fixed_factory
from doubles.receivers.good_receiver import Backend, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.hooks import HookError
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.step import AttackStep, Transmission, accepted
from pytest_turris.findings.errors import NotApplicableError

CLIENT = flask.Flask(__name__).test_client()


def accept(body: bytes, headers: object) -> bool:
    """Accept everything."""
    return True


def step(transmission: Transmission) -> AttackStep:
    """A step that is sent in some way."""
    return accepted(fixed_factory().sign(b"{}"), transmission=transmission)


@pytest.mark.parametrize(
    ("target", "transmission", "reason"),
    [
        (CLIENT, Transmission(copies=2), "one at a time"),
        (CLIENT, Transmission(peer="192.0.2.1"), "cannot choose its address"),
        ("http://127.0.0.1:1/", Transmission(peer="192.0.2.1"), "cannot choose its address"),
        ("https://127.0.0.1:1/", Transmission(plain_http=True), "the URL is HTTPS"),
    ],
)
def test_steps_that_do_not_apply(target: object, transmission: Transmission, reason: str) -> None:
    """A receiver that cannot be reached in the way of a step says why."""
    with pytest.raises(NotApplicableError, match=reason):
        Receiver(target).send(step(transmission))


def test_steps_for_sockets_are_left_out_in_process() -> None:
    """They get no response, and the other steps of their attack are sent."""
    receiver = Receiver(accept)
    assert receiver.send(step(Transmission(socket_only=True))) == ()
    (response,) = receiver.send(step(Transmission()))
    assert response.answer is not None
    assert response.answer.accepted


def test_steps_with_another_receiver() -> None:
    """A step may bring its own receiver, which gets it at the same path."""
    paths: list[str] = []

    def app(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        paths.append(environ["PATH_INFO"])
        start_response("204 No Content", [])
        return []

    Receiver(accept, "/webhooks").send(step(Transmission(target=app)))
    assert paths == ["/webhooks"]


class OneAtATime(ThreadingHTTPServer):
    """Closes a connection without an answer while another is served, as a full queue may."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], limit: int) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.answered = 0
        self.limit = limit
        """How many requests are answered before it answers none."""
        self.busy = threading.Lock()

    def process_request(self, request: object, client_address: object) -> None:
        """Take it, unless another is served."""
        if self.answered < self.limit and self.busy.acquire(blocking=False):
            self.answered += 1
            super().process_request(request, client_address)  # type: ignore[arg-type] # a socket
        else:
            self.shutdown_request(request)  # type: ignore[arg-type] # a socket


class Handler(BaseHTTPRequestHandler):
    """Accepts everything."""

    server: OneAtATime

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        threading.Event().wait(0.02)  # the others come meanwhile
        self.server.busy.release()  # before its client can send again
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def one_at_a_time(limit: int) -> Iterator[OneAtATime]:
    """Such a server."""
    with OneAtATime(Handler, limit) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_a_burst_gets_no_answer_to_is_sent_again() -> None:
    """A server's socket may queue five connections only: that says nothing about the receiver."""
    with one_at_a_time(limit=100) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/")
        responses = receiver.send(step(Transmission(copies=20)))
        assert [response.answer is not None for response in responses] == [True] * 20
        assert server.answered == 20


def test_verdict_notes_what_got_no_answer_in_a_burst() -> None:
    """So that a receiver that drops some of them for a reason of its own is not hidden."""
    with one_at_a_time(limit=1_000) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/")
        context = context_for(Backend(), ReceiverApp)
        verdict = run_attack(find_attack("WH-85"), receiver, context)
    assert verdict.outcome == "not observed"  # without an effects= probe
    (note,) = [note for note in verdict.notes if "at once" in note]
    assert re.fullmatch(
        r"twenty: \d+ of 20 at once got no answer \(\w+: .+\); sent again alone, they got one", note
    )


def test_burst_that_a_receiver_does_not_survive_is_told() -> None:
    """One is sent again, and no other after it."""
    with one_at_a_time(limit=1) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/")
        responses = receiver.send(step(Transmission(copies=20)))
        assert [response.answer is None for response in responses].count(True) == 19


def test_probe_without_a_result_is_a_mistake() -> None:
    """A probe that returns nothing, such as one that prints, counts nothing."""
    with pytest.raises(HookError, match=r"effects\(\) returned None: it must return a number"):
        Receiver(accept, effects=lambda: None).effects()


def test_reset_is_called() -> None:
    """It is called if there is one."""
    calls: list[str] = []
    Receiver(accept, reset=lambda: calls.append("reset")).reset()
    Receiver(accept).reset()
    assert calls == ["reset"]
