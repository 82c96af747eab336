"""``turris-sandbox serve``, compared with a Starlette application on uvicorn with h11.

The application checks its tokens and signs new ones, and does nothing else: no limits, no journal,
no envelope. Both log each request, as they do by default; the application without its log is
measured too. One process sends requests on sixteen persistent connections and counts the answers.

Rates are per second of the server's CPU time (from ``/proc``, on Linux), because wall time includes
the work of other processes. The script prints how busy the server and the sending process are: the
server must be the bottleneck.
"""

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pytest_turris.core.access.keys import signing_key

CONNECTIONS = 16
ROUNDS = 5
SECONDS = 1.0
STARTS = 7
EXPORT = re.compile(r"^export TURRIS_(\w+)=(.*)$", re.MULTILINE)

PEER = """
import sys, time, uuid
import jwt, uvicorn
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

port, pem, silent = int(sys.argv[1]), open(sys.argv[2], "rb").read(), sys.argv[3:]
key, known = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True), set()


async def token(request):
    now, body = int(time.time()), await request.json()
    claims = {"sub": body["clientId"], "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4())}
    text = jwt.encode(claims, key, "RS256")
    known.add(text)
    return JSONResponse({"data": {"accessToken": text, "expiresIn": 3600}}, 201)


async def agents(request):
    if request.headers.get("authorization", "").removeprefix("Bearer ") not in known:
        return JSONResponse({"statusCode": 401}, 401)
    return JSONResponse({"data": []})


async def jwks(request):
    return JSONResponse({"keys": []})


app = Starlette(routes=[
    Route("/v1/auth/jwt", token, methods=["POST"]),
    Route("/v1/agents", agents),
    Route("/.well-known/jwks.json", jwks),
])
uvicorn.run(app, port=port, http="h11", loop="asyncio", access_log=not silent)
"""


@dataclass
class Load:
    """A request that is sent again after each answer, and the number of answers."""

    request: bytes
    status: bytes
    answered: int = 0
    over: bool = False


@dataclass(frozen=True)
class Rate:
    """Answers per second of the server's CPU time and of wall time; the load of this process."""

    rate: float
    wall: float
    load: float


class Connection(asyncio.Protocol):
    """One of the connections of a load."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        """Count a complete answer, and send the next request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        assert head.split(b" ", 2)[1] == self._load.status, head
        self._received = b""
        self._load.answered += 1
        if self._load.over:
            self._transport.close()
        else:
            self._transport.write(self._load.request)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


class Server:
    """A server in a separate process. ``start``: the milliseconds until its first 200.

    It is ready when it answers 200 at the path ``ready``.
    """

    def __init__(
        self, command: list[str], folder: Path, ready: str = "/.well-known/jwks.json"
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        output = folder / f"{self.port}.log"
        begin = time.perf_counter()
        with output.open("w") as log:
            command = [word.replace("PORT", str(self.port)) for word in command]
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._wait(ready)
        self.start: float = (time.perf_counter() - begin) * 1000
        self.output = output

    def requests(self) -> tuple[bytes, bytes]:
        """Return a GET with a valid bearer token, and the POST that requests a token."""
        issued = dict(EXPORT.findall(self.output.read_text()))
        known = {
            "clientId": issued.get("CLIENT_ID", "a"),
            "clientSecret": issued.get("CLIENT_SECRET", "b"),
        }
        body, json_type = json.dumps(known).encode(), {"Content-Type": "application/json"}
        asked = urllib.request.Request(f"{self.url}/v1/auth/jwt", body, json_type)
        with urllib.request.urlopen(asked) as answer:
            token = json.load(answer)["data"]["accessToken"]
        host = f"HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
        get = f"GET /v1/agents {host}Authorization: Bearer {token}\r\n\r\n"
        post = f"POST /v1/auth/jwt {host}Content-Type: application/json\r\n"
        return get.encode(), f"{post}Content-Length: {len(body)}\r\n\r\n".encode() + body

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Return the CPU seconds that the process has used."""
        fields = (
            Path(f"/proc/{self._process.pid}/stat")
            .read_text(encoding="utf-8")
            .rpartition(")")[2]
            .split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> int:
        """Return the bytes of the process's resident set."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def _wait(self, ready: str) -> None:
        until = time.perf_counter() + 10
        while time.perf_counter() < until:
            try:
                urllib.request.urlopen(self.url + ready, timeout=1).close()
            except OSError:
                time.sleep(0.005)
            else:
                return
        self.stop()
        raise RuntimeError(f"no answer from {self.url}")


def peer_in(folder: Path) -> list[str]:
    """Write the Starlette application and its key to a folder; return its command."""
    pem = signing_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    (folder / "peer.py").write_text(PEER)
    return [sys.executable, str(folder / "peer.py"), "PORT", str(folder / "key.pem")]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        peer = peer_in(folder)
        plenty = "token_requests_per_minute=1000000000"
        ours = [sys.executable, "-m", "mock_server", "serve", "--port", "PORT", "-o", plenty]
        compare_starts(ours, peer, folder)
        servers = {
            "sandbox": Server(ours, folder),
            "starlette": Server(peer, folder),
            "silent": Server([*peer, "silent"], folder),
        }
        try:
            compare_rates(servers)
        finally:
            for server in servers.values():
                server.stop()


def compare_starts(ours: list[str], peer: list[str], folder: Path) -> None:
    took: list[list[float]] = [[], []]
    for _ in range(STARTS):
        for found, command in zip(took, (ours, peer), strict=True):
            server = Server(command, folder)
            server.stop()
            found.append(server.start)
    mine, theirs = map(statistics.median, took)
    print(
        f"start to first 200: turris-sandbox {mine:.0f} ms, Starlette + uvicorn {theirs:.0f} ms, "
        f"ratio {mine / theirs:.2f} (must 1.5, stretch 1.0)"
    )


def compare_rates(servers: dict[str, Server]) -> None:
    asked = {name: server.requests() for name, server in servers.items()}
    gets: dict[str, list[Rate]] = {name: [] for name in servers}
    posts: dict[str, list[Rate]] = {name: [] for name in servers}
    ceiling = []
    for _ in range(ROUNDS):
        for name, (get, post) in asked.items():
            gets[name].append(asyncio.run(loaded(servers[name], Load(get, b"200"))))
            posts[name].append(asyncio.run(loaded(servers[name], Load(post, b"201"))))
        ceiling.append(signatures())
    ours, peer, silent = (statistics.median(r.rate for r in found) for found in gets.values())
    print(
        f"GET/s: turris-sandbox {ours:,.0f}, Starlette + uvicorn h11 {peer:,.0f}, "
        f"ratio {ours / peer:.2f} (must 2.5, stretch 4); without its log {silent:,.0f}, "
        f"ratio {ours / silent:.2f}"
    )
    every = [rate for found in gets.values() for rate in found]
    print(
        f"    by wall time {statistics.median(r.wall for r in gets['sandbox']):,.0f} and "
        f"{statistics.median(r.wall for r in gets['starlette']):,.0f}; a server is "
        f"{statistics.median(r.wall / r.rate for r in every):.0%} busy, the load "
        f"{statistics.median(r.load for r in every):.0%}"
    )
    ours, peer, _ = (statistics.median(r.rate for r in found) for found in posts.values())
    most = statistics.median(ceiling)
    print(
        f"token POST/s: turris-sandbox {ours:,.0f} of {most:,.0f} signatures/s, {ours / most:.0%} "
        f"(must 75 %, stretch 90 %); Starlette + uvicorn h11 {peer:,.0f}"
    )


async def loaded(server: Server, load: Load) -> Rate:
    """Return the rate at which a server answers a load."""
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", server.port)
    answered, begin, cpu, own = (
        load.answered,
        time.perf_counter(),
        server.cpu(),
        time.process_time(),
    )
    await asyncio.sleep(SECONDS)
    count, seconds = load.answered - answered, time.perf_counter() - begin
    rate = count / (server.cpu() - cpu)
    load.over = True
    await asyncio.sleep(0.1)
    return Rate(rate, count / seconds, (time.process_time() - own) / seconds)


def signatures() -> float:
    """Return how many RS256 signatures one core makes per second."""
    key, count = signing_key(), 500
    begin = time.process_time()
    for _ in range(count):
        key.sign(b"x" * 300, PKCS1v15(), SHA256())
    return count / (time.process_time() - begin)


if __name__ == "__main__":
    main()
