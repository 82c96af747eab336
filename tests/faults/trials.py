"""Works that change a sandbox, and what must hold when an exception ends them at any line."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from random import Random  # noqa: TID251 - from a seed
from typing import Any

from doubles.api_recipes import CSV, World, as_request

from faults.injection import Lines
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.worlds import World as WorldFile

Work = Callable[[], object]
_HEADERS, _ROW = (line.split(",") for line in CSV.decode().split())
KEY = "550e8400-e29b-41d4-a716-446655440000"


class Trials:
    """A sandbox, and works that are ended at random lines.

    Args:
        seed: The same seed ends the same works at the same lines.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World()
        self.sandbox: Sandbox = self.world.sandbox
        # A file and fetches that are due, and not carried out yet.
        self.sandbox.uploads.enqueue([dict(zip(_HEADERS, _ROW, strict=True))])
        self.sandbox.clock.offset += dt.timedelta(minutes=5)
        self.works = self._works()
        self.pristine = self.sandbox.snapshot()
        self._known: dict[str, tuple[int, dict[str, Any]]] = {}
        """By the name of a work: how many lines it runs, and the state after it."""

    def one(self) -> str:
        """End one work at one line; what is wrong afterwards, empty if nothing is."""
        name = self.random.choice(sorted(self.works))
        work = self.works[name]
        lines, after = self._whole(name)
        injected = Lines(self.random.randrange(1, lines + 1))
        try:
            injected.run(work)
        except BaseException:  # pydantic makes another exception of it
            if not injected.place:
                raise
        where = f"{name} at {injected.place}: "
        problem = self._problem(after)
        if not problem and self.sandbox.snapshot() == self.pristine:
            # What was ended can be done once more, and then has the same effect.
            work()
            problem = "" if self.sandbox.snapshot() == after else "cannot be repeated"
        self.sandbox.restore(self.pristine)
        return f"{where}{problem}" if problem else ""

    def _whole(self, name: str) -> tuple[int, dict[str, Any]]:
        if name not in self._known:
            counted = Lines()
            counted.run(self.works[name])
            self._known[name] = counted.seen, self.sandbox.snapshot()
            self.sandbox.restore(self.pristine)
        return self._known[name]

    def _problem(self, after: dict[str, Any]) -> str:
        state = self.sandbox.snapshot()
        if state not in (self.pristine, after):
            return f"half of it took effect: {sorted(_differences(state, self.pristine))[:5]}"
        return index_problem(self.sandbox)

    def _works(self) -> dict[str, Work]:
        world, sandbox = self.world, self.sandbox
        other = _another_state(sandbox)
        loaded = WorldFile.of(sandbox, with_secrets=True)
        loaded = dataclasses.replace(loaded, state=other)
        found: dict[str, Work] = {
            operation.name: self._call(operation)
            for operation in OPERATIONS
            if operation.method != "GET" or operation.name == "list_agents"
        }
        return found | {
            "agents.add": lambda: sandbox.agents.add(npn="11112222"),
            "agents.update": lambda: sandbox.agents.update(world.agent.id, npn="33334444"),
            "associations.delete": lambda: sandbox.associations.delete(world.association.id),
            "associations.remove": lambda: sandbox.associations.remove(world.association.id),
            "products.add": sandbox.products.add,
            "licenses.add": lambda: sandbox.licenses.add(npn="87654321", state_code="CA"),
            "uploads.enqueue": lambda: sandbox.uploads.enqueue([]),
            "credentials.issue": sandbox.credentials.issue,
            "credentials.rotate": lambda: sandbox.credentials.rotate(
                sandbox.client, overlap=dt.timedelta(hours=1)
            ),
            "tokens.issue": lambda: sandbox.tokens.issue(sandbox.client),
            "tokens.revoke_all": sandbox.tokens.revoke_all,
            "limits.exhaust": lambda: sandbox.limits.exhaust("write"),
            "faults.add": lambda: sandbox.faults.add("list_agents", status=503),
            "outbox.register": lambda: sandbox.outbox.register(
                "https://b.invalid/", "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now()
            ),
            "execute_agreement": lambda: sandbox.execute_agreement(world.association.id),
            "restore": lambda: sandbox.restore(other),
            "load": lambda: loaded.load_into(sandbox),
            "seed": lambda: sandbox.seed("small_agency"),
            "time passes": sandbox.settle,
        }

    def _call(self, operation: Operation) -> Work:
        """A request, with an idempotency key."""
        sent = self.world.request(operation)
        sent = dataclasses.replace(sent, headers=sent.headers | {"idempotency-key": KEY})
        request = as_request(sent)
        return lambda: self.sandbox.handle(request)


def _another_state(sandbox: Sandbox) -> dict[str, Any]:
    """A state with other records, which the sandbox is not in."""
    before = sandbox.snapshot()
    sandbox.seed("small_agency")
    sandbox.agents.add(npn="55556666")
    other = sandbox.snapshot()
    sandbox.restore(before)
    return other


def index_problem(sandbox: Sandbox) -> str:
    """Whether an index finds other records than a search through all of them."""
    for name in ("agents", "associations", "contacts", "licenses", "policies", "documents"):
        collection = getattr(sandbox, name)
        for index, values in collection.indexes.items():
            found: dict[str, set[str]] = {}
            for record in collection:
                for value in values(record):
                    if value is not None:
                        found.setdefault(value, set()).add(record.key)
            kept = {value: set(keys) for value, keys in collection._index._keys[index].items()}
            if kept != found:
                return f"{name} are found wrongly by {index}"
    return ""


def _differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    found = []
    for name, part in one.items():
        if part != other[name]:
            inner = part if isinstance(part, dict) else {}
            found += [f"{name}.{key}" for key in inner if inner[key] != other[name][key]] or [name]
    return found
