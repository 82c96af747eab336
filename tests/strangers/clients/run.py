"""Put a rule or a hostile answer to a design, as the documentation shows it."""

import contextlib
import signal
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import anyio
from strangers.clients.design import Design
from strangers.clients.restoring import process_restored

from pytest_turris import CheckWarning

SECONDS = 1.0
"""The timeout of a client over a socket, and a third of what an endless answer may take."""


def put(case: Any, design: Design, agent_id: str) -> Any:
    """Run a case of ``turris_token_case`` or ``turris_hostile_answer``; returns the verdict."""
    clients: list[Any] = []

    def make() -> Any:
        clients.append(design.build())
        return clients[-1]

    with process_restored(), not_for_ever(), warnings.catch_warnings():
        warnings.simplefilter("ignore", CheckWarning)
        if design.coroutines:
            return anyio.run(_in_loop, case, make, agent_id, clients, backend=design.loop)
        try:
            client = make()
            return case.run(client.agents, **_hooks(case, client, make, agent_id))
        finally:
            for each in clients:
                getattr(each, "close", lambda: None)()


class HungError(Exception):
    """A call did not come back."""


@contextlib.contextmanager
def not_for_ever(seconds: int = 40) -> Iterator[None]:
    """Real seconds after which a hanging call is an error, far more than any needs."""

    def give_up(*_: object) -> None:
        raise HungError(f"no end after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    # Again and again: a call of the client may catch the first one.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


async def _in_loop(case: Any, make: Callable[[], Any], agent_id: str, clients: list[Any]) -> Any:
    try:
        client = make()
        return await case.arun(client.agents, **_hooks(case, client, make, agent_id))
    finally:
        for each in clients:
            if hasattr(each, "close"):
                await each.close()


def _hooks(case: Any, client: Any, make: Callable[[], Any], agent_id: str) -> dict[str, Any]:
    """What the design has, of what the case takes."""
    hooks: dict[str, Any] = {"new_client": lambda: make().agents}
    if hasattr(client, "invite"):
        hooks["write"] = client.invite
    if hasattr(case, "rule"):
        if hasattr(client, "begin_invitation"):
            hooks["operation"] = client.begin_invitation
    else:
        hooks["max_seconds"] = 3 * SECONDS
        if hasattr(client, "agent"):
            hooks["record"] = lambda: client.agent(agent_id)
    return hooks
