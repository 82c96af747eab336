"""How long a GET takes on a busy ``turris-sandbox serve``: the slowest hundredth and the median.

Thirty-two connections each send the next request when they have the answer to the last. The first
50,000 requests do not count. The same Starlette application as in ``server.py`` is measured too.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from server import Connection, Load, Server, peer_in

CONNECTIONS = 32
BEFORE = 50_000
MEASURED = 50_000


class Timed(Connection):
    """A connection that notes how long each answer took."""

    def __init__(self, load: Load, took: list[float], done: asyncio.Event) -> None:
        super().__init__(load)
        self._took = took
        self._done = done
        self._begin = time.perf_counter()

    def data_received(self, data: bytes) -> None:
        """Note the time of a complete answer."""
        answered = self._load.answered
        now = time.perf_counter()
        super().data_received(data)
        if self._load.answered > answered:
            self._took.append(now - self._begin)
            self._begin = time.perf_counter()
        if self._load.answered >= BEFORE + MEASURED:
            self._load.over = True
            self._done.set()


async def times(server: Server, request: bytes) -> list[float]:
    """Return how long each answer took, in seconds."""
    load, took, done = Load(request, b"200"), list[float](), asyncio.Event()
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Timed(load, took, done), "127.0.0.1", server.port)
    await done.wait()
    return took[BEFORE:]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        ours = [sys.executable, "-m", "mock_server", "serve", "--port", "PORT"]
        servers = {
            "turris-sandbox": Server(ours, folder),
            "Starlette + uvicorn h11": Server(peer_in(folder), folder),
        }
        try:
            for name, server in servers.items():
                report(name, asyncio.run(times(server, server.requests()[0])))
        finally:
            for server in servers.values():
                server.stop()


def report(name: str, took: list[float]) -> None:
    in_order = sorted(took)
    median, late = in_order[len(took) // 2], in_order[len(took) * 99 // 100]
    print(
        f"{name}: median {median * 1000:.2f} ms, 99 % within {late * 1000:.2f} ms, "
        f"ratio {late / median:.2f} (must 2.5, stretch 1.8)"
    )


if __name__ == "__main__":
    main()
