"""The sandbox may be used from any thread: what its methods change is whole for all of them."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from random import Random  # noqa: TID251 - from a seed

import pytest
from doubles.api_recipes import World, as_request

from faults.trials import index_problem
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.resources.record import RecordError, UnknownRecordError
from pytest_turris.core.sandbox import Sandbox

THREADS = 8
STEPS = 40
Step = Callable[[World, Random], object]


@pytest.fixture(autouse=True)
def eager_switches() -> Iterator[None]:
    """Let threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def any_agent(world: World, random: Random) -> str:
    """The id of an agent, which another thread may remove at any moment."""
    return random.choice([agent.id for agent in world.sandbox.agents] or [world.agent.id])


def npn(random: Random) -> str:
    """One of a few numbers, so that threads meet at the same place of an index."""
    return f"1234567{random.randrange(5)}"


STEPS_BY_NAME: dict[str, Step] = {
    "add": lambda world, random: world.sandbox.agents.add(npn=npn(random)),
    "update": lambda world, random: world.sandbox.agents.update(
        any_agent(world, random), npn=npn(random)
    ),
    "remove": lambda world, random: world.sandbox.agents.remove(any_agent(world, random)),
    "delete": lambda world, random: world.sandbox.agents.delete(any_agent(world, random)),
    "search": lambda world, random: world.sandbox.agents.where(npn=npn(random)),
    "license": lambda world, random: world.sandbox.licenses.add(npn=npn(random)),
    "license gone": lambda world, random: world.sandbox.licenses.remove(
        random.choice([one.key for one in world.sandbox.licenses] or [""])
    ),
    "association": lambda world, _: world.sandbox.associations.update(
        world.association.id, branch_name="West"
    ),
    "credential": lambda world, _: world.sandbox.credentials.issue(),
    "token": lambda world, _: world.sandbox.tokens.issue(world.sandbox.client),
    "limits": lambda world, _: world.sandbox.limits.reset(),
    "webhook": lambda world, _: world.sandbox.outbox.register(
        "https://b.invalid/", "PRODUCER_AGREEMENT_EXECUTED", world.sandbox.clock.now()
    ),
    "snapshot": lambda world, _: world.sandbox.snapshot(),
    "request": lambda world, random: world.sandbox.handle(
        as_request(world.request(random.choice(OPERATIONS)))
    ),
}


def use(world: World, random: Random, errors: list[BaseException]) -> None:
    """Do some of the steps, in any order."""
    for _ in range(STEPS):
        step = STEPS_BY_NAME[random.choice(sorted(STEPS_BY_NAME))]
        try:
            with contextlib.suppress(UnknownRecordError, RecordError):
                step(world, random)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test reports it
            errors.append(error)


@pytest.mark.parametrize("seed", range(3))
def test_any_interleaving_leaves_whole_records(seed: int) -> None:
    """No method raises, all indexes are right, and the state can be saved and restored."""
    world = World()
    errors: list[BaseException] = []
    threads = [
        threading.Thread(target=use, args=(world, Random(f"{seed}/{number}"), errors))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert index_problem(world.sandbox) == ""
    state = world.sandbox.snapshot()
    copy = Sandbox(world.sandbox.options)
    copy.restore(state)
    assert copy.snapshot() == state


def test_ids_are_given_once() -> None:
    """Threads that add records at the same time get records of their own."""
    sandbox = Sandbox()

    def add() -> None:
        for _ in range(STEPS):
            sandbox.agents.add()

    threads = [threading.Thread(target=add) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({agent.id for agent in sandbox.agents}) == len(sandbox.agents) == THREADS * STEPS
