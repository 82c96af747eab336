"""A thousand tenants on three replicas: the memory of each, and how long each tenant waits.

A hundred thousand requests go to the tenants in a random order, each to a replica at random: nine
reads, then a write. PostgreSQL of this machine runs with its defaults. The tenants keep the last
twenty exchanges, so that all journals are full after a fifth of the requests; from then on memory
has to be flat. The script prints it, and the CPU time of a request, after each tenth; and in the
end how long the slowest tenant waited on average, against the median of all.
"""

import asyncio
import json
import random  # noqa: TID251 - of the load, not of the sandbox
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from replicas import cpu_of_tree, running_on_loopback
from server import EXPORT, Server
from tenants import MEBI, Client, token_of

REPLICAS = 3
TENANTS = 1_000
REQUESTS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
TENTHS = 10
CONNECTIONS = 8
"""How many requests each replica is sent at a time."""

COMMAND = [sys.executable, "-m", "mock_server", "serve", "--port", "PORT", "--log-level", "error"]
AGENT = json.dumps({"npn": "12345678", "email": "someone@example.com"}).encode()


def main() -> None:
    with running_on_loopback() as postgres, tempfile.TemporaryDirectory() as directory:
        command = [*COMMAND, "--store", postgres.new_database()]
        servers = [Server(command, Path(directory)) for _ in range(REPLICAS)]
        try:
            tokens = made_tenants(servers[0])
            waits: dict[int, list[float]] = defaultdict(list)
            for tenth in range(1, TENTHS + 1):
                begun, cpu = time.perf_counter(), used(servers, postgres.pid)
                asyncio.run(loaded(servers, tokens, waits, seed=tenth))
                each = (used(servers, postgres.pid) - cpu) / (REQUESTS / TENTHS) * 1e6
                sizes = ", ".join(f"{server.memory() / MEBI:.0f}" for server in servers)
                print(
                    f"after {REQUESTS * tenth // TENTHS:,} requests: {sizes} MiB; {each:,.0f} us "
                    f"of CPU per request with PostgreSQL; {time.perf_counter() - begun:.0f} s",
                    flush=True,
                )
        finally:
            for server in servers:
                server.stop()
    means = sorted(statistics.fmean(found) for found in waits.values())
    middle = statistics.median(means)
    print(
        f"{len(means):,} tenants: an answer takes {middle * 1000:.1f} ms for the median tenant, "
        f"{means[-1] / middle:.2f}x for the slowest, {means[0] / middle:.2f}x for the fastest "
        "(at most 2)"
    )


def used(servers: list[Server], postgres: int) -> float:
    """The CPU seconds that all have used."""
    return sum(server.cpu() for server in servers) + cpu_of_tree(postgres)


def made_tenants(server: Server) -> list[str]:
    """Make the tenants; return a token of each."""
    control = dict(EXPORT.findall(server.output.read_text()))["CONTROL_TOKEN"]
    client = Client(server, control)
    few = {"journalLimit": 20}
    return [
        token_of(
            client,
            client.control("/tenants", name=f"t{number}", idleLimit=None, options=few)[
                "environment"
            ],
        )
        for number in range(TENANTS)
    ]


async def loaded(
    servers: list[Server], tokens: list[str], waits: dict[int, list[float]], seed: int
) -> None:
    """Send a tenth of the requests."""
    chance = random.Random(seed)  # noqa: S311 - as above
    numbers = [number % TENANTS for number in range(REQUESTS // TENTHS)]
    chance.shuffle(numbers)
    queues: list[list[int]] = [[] for _ in servers]
    for number in numbers:
        chance.choice(queues).append(number)
    async with asyncio.TaskGroup() as group:
        for server, queue in zip(servers, queues, strict=True):
            left = iter(queue)
            for _ in range(CONNECTIONS):
                group.create_task(ask_all(server, left, tokens, waits))


async def ask_all(
    server: Server, left: Iterator[int], tokens: list[str], waits: dict[int, list[float]]
) -> None:
    """Send the requests of one connection, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for number in left:
        is_write = len(waits[number]) % 10 == 9
        sent = time.perf_counter()
        writer.write(request_of(server, tokens[number], is_write=is_write))
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        waits[number].append(time.perf_counter() - sent)
        assert head.split(b" ", 2)[1] == (b"201" if is_write else b"200"), head
    writer.close()


def request_of(server: Server, token: str, *, is_write: bool) -> bytes:
    """A request of one tenant."""
    fields = f"HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token}\r\n"
    if not is_write:
        return f"GET /v1/agents {fields}\r\n".encode()
    fields += f"Content-Type: application/json\r\nContent-Length: {len(AGENT)}\r\n"
    return f"POST /v1/agents {fields}\r\n".encode() + AGENT


if __name__ == "__main__":
    main()
