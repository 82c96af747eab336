"""A whole run: many tenants at a time, and what the server held meanwhile."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from soak.connection import Connection, SoakError
from soak.lives import Life, Site
from soak.process import Sample, Served

AT_ONCE = 48
"""How many tenants live at a time."""

_PROBLEMS_SHOWN = 20


@dataclass
class Result:
    """What a run found.

    Args:
        sent: How many requests and webhooks.
        tenants: How many lived, by how they ended.
        samples: What the server held.
        problems: What was lost or answered wrongly.
    """

    sent: Counter[str] = field(default_factory=Counter)
    tenants: Counter[str] = field(default_factory=Counter)
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, life: Life) -> None:
        """Count a life that ended."""
        self.sent += life.sent
        self.tenants["killed" if life.is_killed else "deleted"] += 1


async def soak(
    site: Site,
    served: Served,
    *,
    tenants: int,
    requests: int,
    every: float,
    on_sample: Callable[[Sample], object] = lambda _: None,
) -> Result:
    """Let tenants live, a few at a time.

    Args:
        site: Where.
        served: The process to watch.
        tenants: How many.
        requests: How many GETs all of them send.
        every: Seconds from one sample to the next.
        on_sample: Gets each sample.
    """
    result, lives = Result(), list[Life]()
    numbers = iter(range(tenants))
    watching = asyncio.create_task(_watch(served, result, every, on_sample))
    working = [
        asyncio.create_task(_live_on(site, numbers, requests // tenants, result, lives))
        for _ in range(min(AT_ONCE, tenants))
    ]
    await asyncio.gather(*working)
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    result.problems += await _left(site)
    result.samples.append(served.sample(result.sent["requests"], result.tenants.total()))
    result.problems += [missed for life in lives for missed in life.missing()]
    result.problems += served.complaints
    return result


async def _live_on(
    site: Site, numbers: Iterator[int], requests: int, result: Result, lives: list[Life]
) -> None:
    for number in numbers:
        life = Life(site, number, requests)
        lives.append(life)
        try:
            await life.live()
        except (SoakError, TimeoutError) as error:
            result.problems.append(f"{life.name}: {error!r}")
            if len(result.problems) > _PROBLEMS_SHOWN:
                raise
        result.add(life)


async def _watch(
    served: Served, result: Result, every: float, on_sample: Callable[[Sample], object]
) -> None:
    while True:
        result.samples.append(served.sample(result.sent["requests"], result.tenants.total()))
        on_sample(result.samples[-1])
        await asyncio.sleep(every)


async def _left(site: Site) -> list[str]:
    """The tenants of killed processes that are still there when they should be deleted."""
    client = await Connection.to(site.port)
    until = time.monotonic() + site.idle_seconds * 3
    try:
        while True:
            found = await client.call("GET", "/__sandbox__/tenants", site.token)
            left = [f"{one['name']} is left" for one in found["items"] if one["name"] != "default"]
            if not left or time.monotonic() > until:
                return left
            await asyncio.sleep(1)
    finally:
        client.abort()
