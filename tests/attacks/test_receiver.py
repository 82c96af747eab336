"""How a step reaches a receiver, and how what comes of it is told."""

import base64
import contextlib
import logging
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import httpx2
import pytest
from doubles.attack_harness import attack_in_process, context_for
from doubles.receivers.good_receiver import ENTITY, KEY, Backend, Inbox, ReceiverApp

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.description import answered, redacted
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.doors.sockets.server import LiveServer
from pytest_turris.findings.verdict import Verdict
from pytest_turris.receivers.exchange import WebhookResponse


def test_attacks_run_where_there_is_no_posix_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no ``time.clock_gettime``, and receivers are tested there too."""
    monkeypatch.delattr(time, "clock_gettime")
    assert attack_in_process("WH-02", ReceiverApp).outcome == "passed"


class Believes(ReceiverApp):
    """Verifies nothing, and acts on everything."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        self.backend.act(str(len(self.backend.rows)), {})
        return 204, b""


def shown(id_: str) -> str:
    """What is told of a receiver that believes everything."""
    verdict = attack_in_process(id_, Believes)
    assert verdict.outcome in ("failed", "warned", "noted")
    return str(verdict)


def test_no_spelling_of_key_or_signature_is_shown() -> None:
    """A signature with spaces inside, and the key in base64 however short, are masked."""
    pairs = shown("WH-14").partition("X-Turris-Signature: '")[2].partition("'")[0]
    assert pairs.startswith("***-")
    assert base64.b64encode(KEY.encode()).decode() not in shown("WH-23")
    short = "a key of 19 letters"
    text = redacted(f"{short} {base64.b64encode(short.encode()).decode()}", short)
    assert text == "***-ters ***-cw=="


@pytest.mark.parametrize("before", [140, 150, 159])
def test_key_at_the_cut_is_not_shown_by_half(before: int) -> None:
    """A long answer is cut after it was redacted: half a key is a key no more."""
    key = "turris_sandbox_whsec_of_this_test"
    answer = WebhookResponse(status_code=500, headers={}, body=(" " * before + key).encode())
    assert "turris" not in answered(answer, key)


def test_one_sent_line_has_all_its_findings() -> None:
    """Status and effects of one delivery are reported under one line."""
    lines = [line.split()[0] for line in shown("WH-02").splitlines()[2:7]]
    assert lines == ["sent:", "got:", "expected:", "got:", "expected:"]


def test_application_that_prints_bytes_is_let_be() -> None:
    """What stands behind ``sys.stdout`` is there still, and is heard too."""

    class Prints(ReceiverApp):
        """Writes bytes, asks for the encoding, and tells the key."""

        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            sys.stdout.buffer.write(f"{KEY}\n".encode(sys.stdout.encoding))
            return super().receive(lines, body)

    verdict = attack_in_process("WH-01", Prints)
    assert [finding.kind for finding in verdict.findings] == ["no leak"], verdict


def test_bad_log_record_is_not_the_receivers_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record that cannot be formatted is dropped by our listener, as by every handler."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])

    class Mislogs(ReceiverApp):
        """Gives a log record too few values."""

        def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
            root.warning("%s of %s", 1)
            return super().receive(lines, body)

    assert attack_in_process("WH-01", Mislogs).outcome == "passed"


def test_trouble_ends_with_its_attack() -> None:
    """A probe that raises in the middle of an attack leaves no receiver in trouble."""
    inside = []

    @contextlib.contextmanager
    def failing_work(kind: str) -> Iterator[None]:
        inside.append(kind)
        try:
            yield
        finally:
            inside.remove(kind)

    def effects() -> int:
        if inside:
            raise LookupError("the database is gone")
        return backend.effects()

    backend = Backend()
    receiver = Receiver(ReceiverApp([KEY], backend), "/webhooks", effects=effects)

    def run() -> Verdict:
        return run_attack(
            find_attack("WH-90"),
            receiver,
            context_for(backend, ReceiverApp, failing_work=failing_work),
        )

    with pytest.raises(LookupError) as raised:  # kept, as pytest keeps what failed a test
        run()
    assert (str(raised.value), inside) == ("the database is gone", [])


def test_https_is_not_plain_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that is reached by HTTPS is not said to listen on plain HTTP."""
    import fastapi_receiver

    backend = Backend()
    server = LiveServer(fastapi_receiver.create_app(Inbox([KEY], ENTITY, backend.act)), tls=True)
    try:
        assert server.authority
        server.authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        receiver = Receiver(f"{server.base_url}/webhooks", effects=backend.effects)
        context = context_for(backend, ReceiverApp)
        verdicts = [run_attack(find_attack(id_), receiver, context) for id_ in ("WH-01", "WH-99")]
    finally:
        server.stop()
    assert [(one.outcome, one.reason) for one in verdicts] == [
        ("passed", ""),
        ("skipped", "the URL is HTTPS"),
    ]


@pytest.mark.parametrize("error", [httpx.ReadError("gone"), httpx2.ReadTimeout("gone")])
def test_client_without_an_answer_is_a_finding(error: Exception) -> None:
    """A receiver behind a client of httpx that hangs up, or is silent, has not answered."""
    library: Any = httpx if isinstance(error, httpx.ReadError) else httpx2

    def answer(request: Any) -> Any:
        if "x-turris-signature" in request.headers:
            return library.Response(204)
        raise error

    transport = library.MockTransport(answer)
    with library.Client(transport=transport, base_url="http://receiver") as client:
        verdict = run_attack(
            find_attack("WH-02"), Receiver(client), context_for(Backend(), ReceiverApp)
        )
    came = f"no answer ({type(error).__name__}: gone)"
    assert (verdict.findings[0].kind, verdict.findings[0].got) == ("status", came)


def test_silent_receiver_is_not_waited_for_as_turris_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has failed long before 30 seconds are over; how long it was waited for is told."""
    monkeypatch.setattr("pytest_turris.attacks.receiver._TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/webhooks"
        verdict = run_attack(
            find_attack("WH-01"), Receiver(url), context_for(Backend(), ReceiverApp)
        )
    assert verdict.findings[0].got == "no answer (TimeoutError: no answer in 0.05 s)"


@pytest.mark.parametrize("id_", ["WH-37", "WH-98"])
def test_query_of_a_receiver_stays(id_: str) -> None:
    """Where the receiver's URL has a query, attacks on the path change the path."""
    asked = []

    class Asked(ReceiverApp):
        """Writes down what it is asked for."""

        def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
            asked.append((environ["PATH_INFO"], parse_qs(environ["QUERY_STRING"])))
            return super().answer(environ)

    backend = Backend()
    run_attack(
        find_attack(id_),
        Receiver(Asked([KEY], backend), "/webhooks?tenant=7"),
        context_for(backend, ReceiverApp),
    )
    assert [query["tenant"] for _, query in asked] == [["7"]] * len(asked)
    if id_ == "WH-98":
        paths = ["/webhooks/", "//webhooks", "/./webhooks", "/WEBHOOKS"]
        assert [path for path, _ in asked] == ["/webhooks", *paths, "/webhooks"]
    else:
        assert [len(query) for _, query in asked] == [1, 2, 2, 1, 1, 1]


@pytest.mark.parametrize("id_", ["WH-40", "WH-47", "WH-48"])
def test_receiver_that_never_starts_refuses_no_key(id_: str) -> None:
    """A mistake in ``with_keys`` is the test's, and no refusal of a bad key."""

    def with_keys() -> None:
        """Takes no keys at all."""

    with pytest.raises(TypeError, match="with_keys"):
        attack_in_process(id_, ReceiverApp, with_keys=with_keys)
