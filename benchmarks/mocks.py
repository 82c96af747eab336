"""``turris-sandbox serve``, compared with mock servers for any API: WireMock, Prism, moto.

``make mocks`` installs them and runs this. By itself the script takes the folder in which they are
installed, and leaves out what is missing.

Sixteen connections send GETs with a bearer token; rates are per second of the server's CPU time.
The work is unequal: WireMock compares the token with one text, and without its journal is fastest;
Prism accepts any, and makes its answers from our OpenAPI document; moto accepts any. A protocol for
asyncio that writes a constant, without looking at what it reads, shows what no server in Python can
be faster than.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server import Load, Rate, Server, loaded

ROUNDS = 7
WARM_UP = 4
"""Rounds that do not count: the Java and JavaScript compilers need them."""
TOKEN = "eyJ.canned.token"
CONSTANT = """
import asyncio, sys

ANSWER = b'HTTP/1.1 200 OK\\r\\ncontent-length: 11\\r\\n\\r\\n{"data":[]}'


class Constant(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(ANSWER)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Constant, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
"""


@dataclass(frozen=True)
class Mock:
    """A server, what it is asked, and the rates that were measured."""

    server: Server
    request: bytes
    rates: list[Rate]


def main() -> None:
    installed = Path(sys.argv[1])
    mocks: dict[str, Mock] = {}
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as started:
        for name, mock in _started(installed, Path(directory)):
            started.callback(mock.server.stop)
            mocks[name] = mock
        for number in range(WARM_UP + ROUNDS):
            for mock in mocks.values():
                rate = asyncio.run(loaded(mock.server, Load(mock.request, b"200")))
                mock.rates.extend([rate] if number >= WARM_UP else [])
    ours = statistics.median(rate.rate for rate in mocks["turris-sandbox"].rates)
    for name, mock in mocks.items():
        theirs = statistics.median(rate.rate for rate in mock.rates)
        ratio = f"turris-sandbox {ours / theirs:.1f}x (must 4, stretch 6)"
        print(f"{name}: {theirs:,.0f} GET/s, {ratio}")


def _started(installed: Path, folder: Path) -> Iterator[tuple[str, Mock]]:
    """Start what is installed."""
    ours = Server([sys.executable, "-m", "mock_server", "serve", "--port", "PORT"], folder)
    yield "turris-sandbox", Mock(ours, ours.requests()[0], [])
    (folder / "constant.py").write_text(CONSTANT)
    server = Server([sys.executable, str(folder / "constant.py"), "PORT"], folder)
    yield "a constant", Mock(server, _get(server, "/v1/agents"), [])
    if (jar := next(installed.glob("node_modules/wiremock/build/*.jar"), None)) is not None:
        (folder / "mappings").mkdir()
        (folder / "mappings" / "all.json").write_text(json.dumps({"mappings": _mappings()}))
        java = ["java", "-jar", str(jar), "--port", "PORT", "--root-dir", str(folder)]
        java += ["--use-chunked-encoding", "never"]
        quick = ["--no-request-journal", "--disable-gzip"]
        for name, options in {"WireMock": [], "WireMock, no journal": quick}.items():
            server = Server([*java, *options], folder)
            yield name, Mock(server, _get(server, "/v1/agents"), [])
    if (prism := installed / "node_modules" / ".bin" / "prism").exists():
        document = folder / "openapi.json"
        document.write_bytes(
            subprocess.check_output([sys.executable, "-m", "mock_server", "openapi"])
        )
        options = ["--port", "PORT", "--multiprocess", "false", "--verboseLevel", "silent"]
        server = Server(["node", str(prism.resolve()), "mock", *options, str(document)], folder)
        yield "Prism, no log", Mock(server, _get(server, "/v1/agents"), [])
    if (moto := installed / "moto" / "bin" / "moto_server").exists():
        server = Server([str(moto), "--port", "PORT"], folder, ready="/moto-api/data.json")
        yield "moto", Mock(server, _get(server, "/"), [])


def _mappings() -> list[dict[str, Any]]:
    """The stubs of WireMock: one that requires the token, one for the keys."""
    answer = {"status": 200, "jsonBody": {"data": []}}
    headers = {"Authorization": {"equalTo": f"Bearer {TOKEN}"}}
    agents = {"method": "GET", "urlPath": "/v1/agents", "headers": headers}
    keys = {"method": "GET", "urlPath": "/.well-known/jwks.json"}
    return [{"request": request, "response": answer} for request in (agents, keys)]


def _get(server: Server, path: str) -> bytes:
    lines = f"Host: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


if __name__ == "__main__":
    main()
