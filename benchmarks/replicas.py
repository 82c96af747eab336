"""``turris-sandbox serve --store postgresql://``, compared with the same server in memory.

PostgreSQL of this machine runs with its defaults (a commit waits for the disk). The servers reach
it over loopback, without TLS. All serve ``small_agency``. The write creates an agent, which
exists from the second request on, so that the state does not grow.

One replica is compared with the sandbox in memory by requests per second of CPU time: of the
server, as in ``server.py``, and of the server with PostgreSQL. Two replicas are compared with one
by the CPU seconds of a request, PostgreSQL included. Each replica has the same number of
connections, and all are for one tenant, so that each replica has to take over what the other has
done: the worst case.
"""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from server import Load, Server
from store import COMMAND, requests_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from doubles.postgres import PostgresServer, running
from server import Connection

ROUNDS = 5
CONNECTIONS = 16
SECONDS = 1.5
LEAST, MOST = 0.3, 1.15
TICKS = os.sysconf("SC_CLK_TCK")


class Costs:
    """The CPU seconds that a request takes, in the servers and in PostgreSQL, in each round."""

    def __init__(self) -> None:
        self.servers: list[float] = []
        self.database: list[float] = []
        self.wall: list[float] = []

    @property
    def of_servers(self) -> float:
        """In the servers."""
        return statistics.median(self.servers)

    @property
    def of_all(self) -> float:
        """In the servers and in PostgreSQL."""
        return statistics.median(
            own + other for own, other in zip(self.servers, self.database, strict=True)
        )

    def __str__(self) -> str:
        database = statistics.median(self.database) * 1e6
        return (
            f"{self.of_servers * 1e6:,.0f} us + {database:,.0f} us in PostgreSQL, "
            f"{1 / statistics.median(self.wall):,.0f}/s by wall time"
        )


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        running(is_durable=True, port=port) as postgres,
        tempfile.TemporaryDirectory() as directory,
    ):
        folder = Path(directory)
        shared = ["--store", postgres.new_database()]
        memory = Server(COMMAND, folder)
        first, second = (Server([*COMMAND, *shared], folder) for _ in range(2))
        try:
            compare(postgres, {"in memory": [memory], "one": [first], "two": [first, second]})
        finally:
            for server in (memory, first, second):
                server.stop()


def compare(postgres: PostgresServer, setups: dict[str, list[Server]]) -> None:
    """Measure all in turn, several times, and print the ratios."""
    # The second server's log has the same credentials; a token of either is one of both.
    loads = {
        server: requests_of(server) for server in {s for found in setups.values() for s in found}
    }
    costs: dict[tuple[str, str], Costs] = {}
    for _ in range(ROUNDS):
        for name, servers in setups.items():
            for kind in ("GET", "write", "token POST"):
                found = costs.setdefault((kind, name), Costs())
                asyncio.run(measured(postgres, [(s, loads[s][kind]) for s in servers], found))
    for kind in ("GET", "write", "token POST"):
        memory, one, two = (costs[kind, name] for name in setups)
        print(f"{kind}: in memory {memory}; one replica {one}; two replicas {two}")
        print(
            f"    one replica against memory, by CPU time of the server: "
            f"{memory.of_servers / one.of_servers:.2f} (at least {LEAST}); with the database: "
            f"{memory.of_servers / one.of_all:.2f}"
        )
        print(
            f"    two replicas against one, CPU seconds of a request with the database: "
            f"{two.of_all / one.of_all:.2f} (at most {MOST})"
        )


async def measured(
    postgres: PostgresServer, asked: list[tuple[Server, Load]], costs: Costs
) -> None:
    """Let servers answer for a while, and note what a request took."""
    loop = asyncio.get_running_loop()
    loads = [Load(load.request, load.status) for _, load in asked]
    for (server, _), load in zip(asked, loads, strict=True):
        for _ in range(CONNECTIONS):
            await loop.create_connection(partial(Connection, load), "127.0.0.1", server.port)
    await asyncio.sleep(0.2)
    answered, begin = sum(load.answered for load in loads), time.perf_counter()
    own, database = sum(server.cpu() for server, _ in asked), cpu_of_tree(postgres.pid)
    await asyncio.sleep(SECONDS)
    count, seconds = sum(load.answered for load in loads) - answered, time.perf_counter() - begin
    costs.servers.append((sum(server.cpu() for server, _ in asked) - own) / count)
    costs.database.append((cpu_of_tree(postgres.pid) - database) / count)
    costs.wall.append(seconds / count)
    for load in loads:
        load.over = True
    await asyncio.sleep(0.2)


def cpu_of_tree(pid: int) -> float:
    """The CPU seconds of a process, of its children, and of those that ended."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended: then its parent has its time
        if int(stat.parent.name) == pid:
            total += sum(map(int, fields[11:15]))
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13]))
    return total / TICKS


if __name__ == "__main__":
    main()
