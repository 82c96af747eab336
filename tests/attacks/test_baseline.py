"""A genuine webhook that is refused stops the run, with one cause."""

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from doubles.attack_harness import context_for
from doubles.ports import has_ipv6
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp
from doubles.receivers.odd_ports import (
    Talk,
    hangs_up,
    is_silent,
    listening,
    says,
    speaks_http2,
    speaks_http2_or_hangs_up,
)

from pytest_turris.attacks.catalogue import find_attack, profile
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.attacks.sending.response import ReceiverResponse
from pytest_turris.attacks.series.no_answer import why_no_answer
from pytest_turris.attacks.series.series import AttackSeries, SeriesResult
from pytest_turris.receivers.egress import check_egress


def series_on(target: object, path: str = "", **options: Any) -> SeriesResult:
    """The quick profile on a receiver that is not observed."""
    context = context_for(Backend(), ReceiverApp)
    return AttackSeries(Receiver(target, path, **options), context).run(profile("quick"))


def answering(status: int, *headers: tuple[str, str], body: bytes = b"") -> Callable[..., Any]:
    """A WSGI application that answers everything alike."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(f"{status} x", list(headers))
        return [body]

    return app


@pytest.mark.parametrize(
    ("app", "cause"),
    [
        (answering(401), "401 to a genuine webhook: wrong key, path, host, or a gateway"),
        (answering(401, ("WWW-Authenticate", 'Basic realm="x"')), "HTTP authentication (Basic)"),
        (answering(403), "wrong key, path, host, or a gateway"),
        (answering(404), "wrong path? (the path is /hooks)"),
        (answering(405), "does not take POST"),
        (answering(308, ("Location", "/hooks/")), "redirects to '/hooks/'"),
        (answering(400, body=b"Invalid host header"), "It says 'Invalid host header'"),
        (answering(400, body=b"plain HTTP request sent to HTTPS port"), "use https://"),
        (answering(415), "refuses application/json"),
        (answering(500, body=b"oops"), "it fails ('oops'); see its log"),
        (answering(429, ("Retry-After", "60")), "429, Retry-After: 60 since the first webhook"),
        (answering(503, ("Retry-After", "60")), "the receiver limits rates"),
    ],
)
def test_one_cause_for_all(app: object, cause: str) -> None:
    """WH-01 fails with the cause; the rest is not observed, for the same reason."""
    result = series_on(app, "/hooks")
    first, *rest = result.verdicts
    assert (first.check.id, first.outcome) == ("WH-01", "failed")
    assert cause in first.findings[0].fix
    assert {(one.outcome, one.reason) for one in rest} == {("not observed", result.cause)}
    assert cause in result.cause
    assert (result.answered, result.complete) == (True, False)


@pytest.mark.parametrize("before", [0, 60, 90])
def test_cause_shows_no_key(before: int) -> None:
    """An error page may show the key, and a cut may go through it."""
    body = b"x " * (before // 2) + KEY.encode()
    cause = series_on(answering(500, body=body), "/hooks").cause
    assert cause.startswith("500 to a genuine webhook: it fails")
    assert KEY[:6] not in cause


def test_application_that_never_started() -> None:
    """An ASGI application without what its start-up makes is reported as such."""

    async def app(scope: Any, receive: Any, send: Any) -> NoReturn:
        raise AttributeError("'State' object has no attribute 'inbox'")

    cause = series_on(app, "/hooks").cause
    assert "has no attribute 'inbox'" in cause
    assert "Did its start-up (ASGI lifespan) run" in cause


def test_application_that_only_fails() -> None:
    """What a WSGI application raised is in the cause; it has no start-up."""

    def app(environ: Any, start_response: Any) -> NoReturn:
        raise LookupError("no database")

    cause = series_on(app, "/hooks").cause
    assert cause == ("500 to a genuine webhook: the application raised LookupError('no database')")


def test_function_that_only_fails() -> None:
    """How it was called is said: its author may have meant something else."""

    def app(body: Any, headers: Any) -> list[bytes]:
        headers("200 OK", [body["PATH_INFO"]])
        return []

    assert "It was called as verify(body, headers)" in series_on(app, "/hooks").cause


def test_wsgi_application_by_its_first_parameter() -> None:
    """WSGI does not fix the names of its parameters (PEP 3333)."""

    def app(environ: Any, start: Any) -> list[bytes]:
        start("401 Unauthorized", [])
        return []

    assert series_on(app, "/hooks").cause.startswith("401 to a genuine webhook")


@pytest.mark.parametrize(
    ("talk", "tls", "scheme", "cause"),
    [
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), False, "http", "not in HTTP: it says 'SSH-2.0"),
        (says(b"\x15\x03\x01\0\2\2\x46"), False, "http", "speaks TLS: use https://"),
        (speaks_http2, False, "http", "speaks HTTP/2 only"),
        (speaks_http2_or_hangs_up, False, "http", "speaks HTTP/2 only"),
        (hangs_up, False, "http", "closes the connection without an answer"),
        (hangs_up, True, "http", "speaks TLS: use https://"),
        (says(b"HTTP/1.0 400 no\r\n\r\n"), False, "https", "speaks plain HTTP: use http://"),
        (hangs_up, False, "https", "TLS with 127.0.0.1"),
        (hangs_up, True, "https", "the certificate of 127.0.0.1"),
    ],
)
def test_port_that_is_no_receiver(talk: Talk, tls: bool, scheme: str, cause: str) -> None:
    """What is there instead is said in one sentence, with the way out."""
    with listening(talk, tls=tls) as port:
        result = series_on(f"{scheme}://127.0.0.1:{port}/hooks")
    assert cause in result.cause
    assert result.answered is False
    assert result.verdicts[0].outcome == "failed"


def test_port_where_nothing_listens() -> None:
    """The address is named."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert series_on(f"http://127.0.0.1:{port}/").cause.startswith(
        f"nothing listens at 127.0.0.1:{port}"
    )


def test_tls_that_fails_on_a_port_that_is_gone_then() -> None:
    """A port that cannot be looked at again is described by what the first try raised."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = check_egress(f"https://127.0.0.1:{server.getsockname()[1]}/")
    response = ReceiverResponse(answer=None, error=ssl.SSLError(1, "bad record"))
    assert why_no_answer(where, response, KEY).endswith("fails: bad record")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_receiver_on_ipv6_alone() -> None:
    """A server that listens on ::1 is found, though the URL leads to 127.0.0.1."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(listening(hangs_up, "::1"))
        cause = series_on(f"http://127.0.0.1:{port}/").cause
    assert f"something does on [::1]:{port}" in cause


def test_receiver_that_hangs() -> None:
    """It is waited for once, not for each attack."""
    with listening(is_silent) as port:
        result = series_on(f"http://127.0.0.1:{port}/", timeout=0.1)
    assert "does not answer" in result.cause
    assert "a middleware" in result.cause


def test_receiver_behind_a_client_that_hangs() -> None:
    """A client has no address to look at; what it raised is reported."""
    import httpx

    def answer(_: object) -> NoReturn:
        raise httpx.ReadTimeout("too long")

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x") as client:
        cause = series_on(client).cause
    assert cause == "no answer to a genuine webhook: ReadTimeout: too long"


def test_receiver_that_accepts_and_does_nothing() -> None:
    """Where effects are counted, a genuine webhook has to have one before anything is judged."""
    context = context_for(Backend(), ReceiverApp)
    receiver = Receiver(lambda body, headers: True, effects=lambda: 0)
    first = run_attack(find_attack("WH-01"), receiver, context)
    assert [(one.kind, one.got) for one in first.findings] == [("effects", "0 effects")]
    assert "events=..." in first.findings[0].fix
    other = run_attack(find_attack("WH-02"), receiver, context)
    assert (other.outcome, "effects counted nothing" in other.reason) == ("not observed", True)


def test_key_is_not_in_the_cause() -> None:
    """A receiver that answers with the key has it masked."""
    assert KEY not in series_on(answering(400, body=KEY.encode()), "/hooks").cause


@pytest.mark.parametrize("before", [0, 30, 45])
def test_key_is_not_in_what_a_port_says(before: int) -> None:
    """A port that does not speak HTTP may say the key, and a cut may go through it."""
    with listening(says(b"x " * (before // 2) + KEY.encode() + b"\r\n")) as port:
        cause = series_on(f"http://127.0.0.1:{port}/hooks").cause
    assert "not in HTTP" in cause
    assert KEY[:6] not in cause


def test_gateway_that_asks_with_an_empty_challenge() -> None:
    """The baseline fails; nothing is raised."""
    app = answering(401, ("WWW-Authenticate", " "))
    assert series_on(app, "/hooks").cause.startswith("401 to a genuine webhook")
