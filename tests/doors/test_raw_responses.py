import json
import socket
import threading
from itertools import repeat

import httpx
import pytest

from pytest_turris.core.faults.hostile.raw import MAX_RAW_BYTES, RawAnswer
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.sockets.pool import Server, ServerPool
from pytest_turris.findings.errors import CheckWarning
from pytest_turris.fixtures.hostile_answer import HostileCase
from pytest_turris.time_travel.travel import TimeTravel

MAX_SECONDS = 5


def get(sandbox: Sandbox, base_url: str, **kwargs: object) -> httpx.Response:
    """List the agents."""
    token = sandbox.tokens.issue(sandbox.client)
    headers = {"authorization": f"Bearer {token.text}"}
    return httpx.get(f"{base_url}/v1/agents", headers=headers, **kwargs)  # type: ignore[arg-type] # as httpx.get


def test_in_process_it_says_what_it_needs(turris: Sandbox) -> None:
    """Without a socket there is a broken connection, whose error names the fixture."""
    turris.faults.hostile("AR-33/half-open")
    with pytest.raises(httpx.ReadError, match="turris_server"):
        get(turris, turris.base_url)


def test_bytes_are_written_as_they_are(turris: Sandbox, turris_server: Server) -> None:
    """Over a socket the answer arrives as bytes, here an HTTP/1.0 one."""
    turris.faults.hostile("AR-37/HTTP/1.0")
    answer = get(turris, turris_server.base_url)
    assert (answer.http_version, answer.json()["data"]) == ("HTTP/1.0", [])


@pytest.mark.turris(tls=True)
def test_bytes_are_written_under_tls(turris: Sandbox, turris_server: Server) -> None:
    """The same over TLS."""
    turris.faults.hostile("AR-07/length too long")
    with pytest.raises(httpx.RemoteProtocolError, match="complete message body"):
        get(turris, turris_server.base_url, verify=turris_server.client_context())


def test_silence_ends_by_itself(turris: Sandbox, turris_server: Server) -> None:
    """A client that waits for ever is released after max_seconds, and the journal records it."""
    turris.faults.hostile("AR-33/half-open", max_seconds=0.05)
    with pytest.raises(httpx.HTTPError):
        get(turris, turris_server.base_url, timeout=None)
    assert [answer.exhausted for answer in turris.faults.raw_answers] == [True]


def test_refusal_is_no_raw_answer(turris: Sandbox, turris_server: Server) -> None:
    """A request that would be refused is refused: raw bytes carry honest data, or none."""
    turris.faults.hostile("AR-07/length too long")
    with turris.expect_refusal(status=401):
        assert httpx.get(f"{turris_server.base_url}/v1/agents").status_code == 401


def test_it_can_be_waited_for(turris: Sandbox, turris_server: Server) -> None:
    """When its connection is closed, the client knows; before that, it might use it again."""
    turris.faults.hostile("AR-07/length too short")
    token = turris.tokens.issue(turris.client)
    head = (
        f"GET /v1/agents HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token.text}\r\n\r\n"
    )
    address = ("127.0.0.1", int(turris_server.base_url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=MAX_SECONDS) as client:
        client.sendall(head.encode())
        assert client.recv(65_536).startswith(b"HTTP/1.1 200 ")
        (answer,) = turris.faults.raw_answers
        assert answer.wait_until_closed(MAX_SECONDS)
        client.setblocking(False)
        # Without an end, one of these reads would raise BlockingIOError.
        b"".join(iter(lambda: client.recv(65_536), b""))


def test_the_wait_for_one_that_stays_open_has_an_end() -> None:
    """It waits no longer than it is told, and to close it twice is no mistake."""
    answer = RawAnswer([])
    assert not answer.wait_until_closed(0.001)
    answer.close()
    answer.close()
    assert answer.wait_until_closed(0)
    assert answer.wait_until_closed(0)


def test_nothing_outlasts_its_test() -> None:
    """When a sandbox leaves its server, an answer that is still being written ends."""
    pool, outcomes = ServerPool(), []
    sandbox = Sandbox(Options())

    def call(base_url: str) -> None:
        try:
            get(sandbox, base_url, timeout=None)
        except httpx.HTTPError as error:
            outcomes.append(error)

    with pool.serve(sandbox) as server:
        sandbox.faults.hostile("AR-33/slow headers", max_seconds=600)
        client = threading.Thread(target=call, args=(server.base_url,), daemon=True)
        client.start()
        for _ in range(500):
            if sandbox.faults.raw_answers:
                break
            client.join(0.01)
    client.join(MAX_SECONDS)
    pool.stop()
    assert not client.is_alive()
    assert len(outcomes) == 1


def test_endless_bytes_have_an_end() -> None:
    """A script that never ends writes no more than its bound."""
    piece = b"x" * 1_048_576
    written = sum(len(part) for part in RawAnswer(repeat(piece)).parts() if isinstance(part, bytes))
    assert written == MAX_RAW_BYTES


def test_endless_headers_catch_who_reads_to_the_end(
    turris: Sandbox, turris_time: TimeTravel, turris_server: Server
) -> None:
    """Every library refuses endless headers; a client of bare sockets may not."""
    token = turris.tokens.issue(turris.client)
    host, _, port = turris_server.base_url.removeprefix("http://").partition(":")

    def call() -> object:
        question = f"GET /v1/agents HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        with socket.create_connection((host, int(port))) as bare, bare.makefile("rb") as answer:
            bare.sendall(f"{question}Authorization: Bearer {token.text}\r\n\r\n".encode())
            received = answer.read()
        body = received.partition(b"\r\n\r\n")[2]
        if not body:
            raise ConnectionError("no body")
        return json.loads(body)["data"]

    case = HostileCase("AR-37/endless headers", turris, turris_time)
    with pytest.warns(CheckWarning, match="stayed until the server hung up"):
        assert case.run(call).outcome == "warned"


def test_unread_bytes_are_taken_back(turris: Sandbox, turris_server: Server) -> None:
    """A client that leaves an endless body unread is disconnected, and the next call works."""
    turris.faults.hostile("AR-08/endless chunks", times=1, max_seconds=0.2)
    token = turris.tokens.issue(turris.client)
    headers = {"authorization": f"Bearer {token.text}"}
    with httpx.stream("GET", f"{turris_server.base_url}/v1/agents", headers=headers) as answer:
        assert answer.status_code == 200
    assert get(turris, turris_server.base_url).status_code == 200
