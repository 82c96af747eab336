"""Load on several servers of one sandbox, from threads, with its history."""

import contextlib
import http.client
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from doubles.histories import History

LONGEST = 120.0
NPN = 10_000_000


class Asked:
    """What one thread asks one server; a broken connection is made again."""

    def __init__(self, port: int, bearer: str) -> None:
        self._port = port
        self._bearer = bearer
        self._connection: http.client.HTTPConnection | None = None

    def send(self, method: str, path: str, body: object = None, **fields: str) -> tuple[int, Any]:
        """The status and the document of an answer; a status of 0 if none came."""
        if self._connection is None:
            self._connection = self.connected()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._bearer}"}
        try:
            self._connection.request(
                method, path, json.dumps(body) if body else None, headers | fields
            )
            with self._connection.getresponse() as answer:
                return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            self.close()
            time.sleep(0.05)
            return 0, None

    def connected(self) -> http.client.HTTPConnection:
        """A new connection."""
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Load:
    """A thread for each server that adds agents and lists them, until ``stop``.

    Args:
        ports: The port of each server by its name.
        bearer: A token that all accept.
    """

    def __init__(self, ports: Mapping[str, int], bearer: str) -> None:
        self.history = History()
        self.served: Counter[str] = Counter()
        """How many calls each server has answered with success."""
        self.odd: list[tuple[int, Any]] = []
        """Answers that no fault explains."""
        self._numbers = iter(range(NPN, 10 * NPN))
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(name, Asked(port, bearer)), daemon=True)
            for name, port in ports.items()
        ]

    @contextlib.contextmanager
    def running(self) -> Iterator["Load"]:
        """Ask while the block runs; afterwards wait for the last answers."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(LONGEST)
        assert not any(thread.is_alive() for thread in self._threads), "a call takes for ever"

    def wait_for(self, count: int, *names: str) -> None:
        """Wait until these servers have answered so many more calls."""
        goals = {name: self.served[name] + count for name in names}
        begun = time.monotonic()
        while any(self.served[name] < goal for name, goal in goals.items()):
            assert time.monotonic() - begun < LONGEST, (self.served, goals, self.odd[:3])
            time.sleep(0.01)

    def _work(self, name: str, asked: Asked) -> None:
        for turn in range(10**6):
            if self._stopping.is_set():
                break
            if turn % 3:
                done = self._add(asked, str(next(self._numbers)))
            else:
                done = self.history.read(lambda: self._read(asked))
            self.served[name] += done
        asked.close()

    def _add(self, asked: Asked, npn: str) -> bool:
        body = {"npn": npn, "email": f"a{npn}@example.com"}
        key = str(uuid.uuid4())  # noqa: TID251 - a client's key

        def add() -> bool:
            status, document = asked.send("POST", "/v1/agents", body, **{"Idempotency-Key": key})
            return self._is_done(status, document, 201)

        return self.history.add(npn, add)

    def _read(self, asked: Asked) -> frozenset[str] | None:
        status, document = asked.send("GET", "/v1/agents?limit=10000")
        if not self._is_done(status, document, 200):
            return None
        found = [entry["agent"]["npn"] for entry in document["data"]]
        if len(set(found)) != len(found):
            self.odd.append((status, "an agent twice"))
        return frozenset(found)

    def _is_done(self, status: int, document: Any, wanted: int) -> bool:  # noqa: ANN401 - JSON
        if status == 503 and document["errorType"] == "internal_error":
            assert "cannot use its store" in document["errorMessage"][0]
        elif status not in (0, wanted):
            self.odd.append((status, document))
        return status == wanted
