"""A short run of `make soak`, and what its checks find."""

import asyncio
from pathlib import Path

import pytest

from soak.connection import Connection, SoakError
from soak.growth import grown
from soak.lives import WEBHOOKS, Life, Site
from soak.process import Sample, served
from soak.receivers import Receivers
from soak.run import soak

TENANTS, REQUESTS = 12, 240


def test_nothing_is_lost(tmp_path: Path) -> None:
    """One of the suites is killed."""
    with served(tmp_path) as server, Receivers() as receivers:
        site = Site(server.port, server.token, receivers, idle_seconds=3)
        result = asyncio.run(soak(site, server, tenants=TENANTS, requests=REQUESTS, every=0.2))
    assert not result.problems
    assert result.tenants.total() == TENANTS
    assert result.tenants["killed"]
    assert result.sent["webhooks"] >= TENANTS * len(WEBHOOKS)
    assert result.samples[-1].requests > REQUESTS / 2


def test_a_lost_webhook_is_found(tmp_path: Path) -> None:
    """A slow receiver that got one twice, and another that got none."""
    with Receivers() as receivers:
        life = Life(Site(1, "", receivers), 0, 1)
        receivers.received.update({f"{life.name}-{number}": 1 for number in (0, 1, 2)})
        receivers.received[f"{life.name}-3"] = 2
    assert life.missing() == [f"{life.name}-3: 2 times", f"{life.name}-4: 0 times"]


def test_a_tenant_that_stays_is_found(tmp_path: Path) -> None:
    """One that is never idle for too long is named, and an error in the log is shown."""
    with served(tmp_path) as server, Receivers() as receivers:
        site = Site(server.port, server.token, receivers, idle_seconds=1)
        asyncio.run(_made(site, "stays"))
        (tmp_path / "serve.log").write_text("cannot send webhook 1: KeyError\n")
        result = asyncio.run(soak(site, server, tenants=1, requests=1, every=1))
    assert result.problems == ["stays is left", "cannot send webhook 1: KeyError"]


async def _made(site: Site, name: str) -> None:
    client = await Connection.to(site.port)
    body = {"name": name, "idleLimit": None}
    await client.call("POST", "/__sandbox__/tenants", site.token, body)
    client.abort()


def test_a_wrong_answer_is_a_problem(tmp_path: Path) -> None:
    """A control token that the server does not know."""
    with served(tmp_path) as server, Receivers() as receivers:
        life = Life(Site(server.port, "wrong", receivers), 0, 1)
        with pytest.raises(SoakError, match="POST /__sandbox__/tenants: 401"):
            asyncio.run(life.live())


@pytest.mark.parametrize(
    ("kind", "early", "late", "found"),
    [
        ("memory", 100.0, 109.0, []),
        ("memory", 100.0, 111.0, ["memory grew from 100 to 111"]),
        ("threads", 20, 24, []),
        ("threads", 20, 26, ["threads grew from 20 to 26"]),
        ("descriptors", 20, 26, ["descriptors grew from 20 to 26"]),
    ],
)
def test_growth_is_found(kind: str, early: float, late: float, found: list[str]) -> None:
    """From the second fifth to the last; the first, in which bounds are reached, does not count."""
    held = {"memory": 50.0, "threads": 10, "descriptors": 10}
    values = [1.0] * 4 + [early] * 4 + [early] * 8 + [late] * 4
    samples = [
        Sample(second=number, requests=number, tenants=number, **(held | {kind: value}))  # type: ignore[arg-type]  # whole numbers
        for number, value in enumerate(values)
    ]
    assert grown(samples) == found
