"""``turris-sandbox serve --store postgresql://``, compared with the same server in memory.

PostgreSQL of this machine runs with its defaults (a commit waits for the disk). The servers reach
it over loopback, without TLS. All serve ``small_agency``. The write creates an agent, which
exists from the second request on, so that the state does not grow.

One replica is compared with the sandbox in memory by requests per second of CPU time: of the
server, as in ``server.py``, and of the server with PostgreSQL. Two replicas are compared with one
by the CPU seconds of a request, PostgreSQL included. Each replica has the same number of
connections, and all are for one tenant, so that each replica has to take over what the other has
done: the worst case.

What is compared runs one after the other in each round, and a ratio is the median of the rounds'
ratios: the speed of a virtual machine changes by half within seconds.
"""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from server import Load, Server
from store import COMMAND, requests_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from doubles.postgres import PostgresServer, running
from server import Connection

ROUNDS = 9
CONNECTIONS = 16
SECONDS = 0.6
LONGEST = 60.0
ENOUGH = 100
"""At least this many answers are counted."""
LEAST, MOST = 0.3, 1.15
TICKS = os.sysconf("SC_CLK_TCK")


class Costs:
    """The CPU seconds that a request takes, in the servers and in PostgreSQL, in each round."""

    def __init__(self) -> None:
        self.servers: list[float] = []
        self.database: list[float] = []
        self.wall: list[float] = []

    @property
    def all(self) -> list[float]:
        """In the servers and in PostgreSQL."""
        return [own + other for own, other in zip(self.servers, self.database, strict=True)]

    def __str__(self) -> str:
        servers, database = (statistics.median(x) * 1e6 for x in (self.servers, self.database))
        return (
            f"{servers:,.0f} us + {database:,.0f} us in PostgreSQL, "
            f"{1 / statistics.median(self.wall):,.0f}/s by wall time"
        )


def main() -> None:
    with running_on_loopback() as postgres, tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        shared = ["--store", postgres.new_database()]
        memory = Server(COMMAND, folder)
        first, second = (Server([*COMMAND, *shared], folder) for _ in range(2))
        try:
            compare(postgres, {"in memory": [memory], "one": [first], "two": [first, second]})
        finally:
            for server in (memory, first, second):
                server.stop()


def running_on_loopback() -> AbstractContextManager[PostgresServer]:
    """A server of PostgreSQL that waits for the disk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return running(is_durable=True, port=port)


def compare(postgres: PostgresServer, setups: dict[str, list[Server]]) -> None:
    """Measure all in turn, several times, and print the ratios."""
    # The second server's log has the same credentials; a token of either is one of both.
    loads = {
        server: requests_of(server) for server in {s for found in setups.values() for s in found}
    }
    costs: dict[tuple[str, str], Costs] = {}
    for _ in range(ROUNDS):
        for kind in ("GET", "write", "token POST"):
            for name, servers in setups.items():
                found = costs.setdefault((kind, name), Costs())
                asyncio.run(measured(postgres, [(s, loads[s][kind]) for s in servers], found))
    for kind in ("GET", "write", "token POST"):
        memory, one, two = (costs[kind, name] for name in setups)
        print(f"{kind}: in memory {memory}; one replica {one}; two replicas {two}")
        print(
            f"    one replica against memory, by CPU time of the server: "
            f"{ratio(memory.servers, one.servers)} (at least {LEAST}); with the database: "
            f"{ratio(memory.servers, one.all)}"
        )
        print(
            f"    two replicas against one, CPU seconds of a request with the database: "
            f"{ratio(two.all, one.all)} (at most {MOST})"
        )


def ratio(these: list[float], those: list[float]) -> str:
    """The median of the rounds' ratios, with the quartiles."""
    quartiles = statistics.quantiles([a / b for a, b in zip(these, those, strict=True)], n=4)
    return "{1:.2f} ({0:.2f} to {2:.2f})".format(*quartiles)


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
    for _ in range(int(LONGEST / SECONDS)):  # a busy disk can hold up commits for seconds
        if sum(load.answered for load in loads) - answered >= ENOUGH:
            break
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
