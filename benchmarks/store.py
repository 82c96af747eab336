"""``turris-sandbox serve --store``, compared with the same server in memory.

Both serve ``small_agency``. Rates are per second of the server's CPU time, as in ``server.py``: the
sending process shares the cores. Each second with one is followed by one with the other, and the
ratio is that of the median pair, so that other work on the machine counts little. The write creates
an agent, which exists from the second request on: so the state does not grow. The last line is a
start after ``kill -9``.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from server import Load, Server, loaded

ROUNDS = 7
STARTS = 7
PLENTY = [
    "-o",
    "token_requests_per_minute=1000000000",
    "-o",
    "writes_per_minute=1000000000",
]
COMMAND = [sys.executable, "-m", "mock_server", "serve", "--port", "PORT", *PLENTY]
COMMAND += ["--data", "small_agency"]


AGENT = {"npn": "12345678", "email": "someone@example.com"}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        compare_starts(folder)
        servers = {
            "memory": Server(COMMAND, folder),
            "store": Server([*COMMAND, "--store", str(folder / "load.db")], folder),
        }
        try:
            compare_rates(servers)
        finally:
            for server in servers.values():
                server.stop()
        begin = time.perf_counter()
        Server([*COMMAND, "--store", str(folder / "load.db")], folder).stop()
        size = (folder / "load.db").stat().st_size / 1_048_576
        print(
            f"start after kill -9 under this load: {(time.perf_counter() - begin) * 1000:.0f} ms; "
            f"the file has {size:.1f} MiB"
        )


def compare_starts(folder: Path) -> None:
    store = ["--store", str(folder / "starts.db")]
    Server([*COMMAND, *store], folder).stop()
    took: list[list[float]] = [[], []]
    for _ in range(STARTS):
        for found, command in zip(took, (COMMAND, [*COMMAND, *store]), strict=True):
            server = Server(command, folder)
            server.stop()
            found.append(server.start)
    memory, kept = map(statistics.median, took)
    print(
        f"start to first 200: in memory {memory:.0f} ms, with a store {kept:.0f} ms, "
        f"ratio {kept / memory:.2f} (at most 1.2)"
    )


def requests_of(server: Server) -> dict[str, Load]:
    """A read, a write and a token request."""
    get, token = server.requests()
    bearer = get.partition(b"Authorization: ")[2].partition(b"\r\n")[0].decode()
    body = json.dumps(AGENT).encode()
    head = (
        f"POST /v1/agents HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Authorization: {bearer}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return {
        "GET": Load(get, b"200"),
        "write": Load(head.encode() + body, b"201"),
        "token POST": Load(token, b"201"),
    }


def compare_rates(servers: dict[str, Server]) -> None:
    loads = {name: requests_of(server) for name, server in servers.items()}
    goals = {"GET": 1.3, "write": 2.0, "token POST": 2.0}
    costs: dict[str, list[tuple[float, float]]] = {kind: [] for kind in goals}
    for _ in range(ROUNDS):
        for kind, pairs in costs.items():
            memory, kept = (
                asyncio.run(loaded(server, Load(load.request, load.status)))
                for server, load in zip(
                    servers.values(), (loads[name][kind] for name in servers), strict=True
                )
            )
            if memory.rate and kept.rate:  # a busy machine may let a second pass without an answer
                pairs.append((1e6 / memory.rate, 1e6 / kept.rate))
    for kind, goal in goals.items():
        ratio = statistics.median(kept / memory for memory, kept in costs[kind])
        memory_time, kept_time = map(statistics.median, zip(*costs[kind], strict=True))
        print(
            f"{kind}: in memory {memory_time:,.0f} us of CPU time, with a store {kept_time:,.0f}, "
            f"{ratio:.2f}x in the median pair (at most {goal})"
        )


if __name__ == "__main__":
    main()
