"""What a test suite does with its tenant, from its creation to its end."""

import asyncio
import random  # noqa: TID251 - from a seed
from collections import Counter
from dataclasses import dataclass

from soak.connection import Connection, SoakError, request_of
from soak.receivers import Receivers

WEBHOOKS = ("slow",) * 5 + ("refusing",) * 3 + ("resetting",) * 2
"""The kinds of receivers that each tenant registers; a retry follows each failure."""

EVENT = "PRODUCER_AGREEMENT_EXECUTED"
RETRY_SECONDS = 0.2
ATTEMPTS = {"slow": ("delivered", 1), "refusing": ("failed", 2), "resetting": ("failed", 2)}
"""How each delivery must end, by the kind of its receiver."""

KILLED_OF_100 = 10
SILENT_OF_1000 = 5
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """Where the sandbox is served, and its receivers."""

    port: int
    token: str
    receivers: Receivers
    idle_seconds: float = 15
    """After how long a tenant without requests is deleted."""


class Life:
    """A tenant: made, used, and deleted, or left by a process that was killed.

    Args:
        site: Where it lives.
        number: Its number, which is also the seed of what happens to it.
        requests: How many GETs it is sent.
    """

    def __init__(self, site: Site, number: int, requests: int) -> None:
        self._site = site
        self.name: str = f"suite-{number}"
        chance = random.Random(number)
        self.is_killed: bool = chance.randrange(100) < KILLED_OF_100
        self.is_silent: bool = chance.randrange(1000) < SILENT_OF_1000
        self._killed_after = chance.randrange(requests) if self.is_killed else requests
        self._kinds: dict[str, str] = {}
        self.sent: Counter[str] = Counter()
        """How many requests and webhooks."""

    async def live(self) -> None:
        """From the creation to the end.

        Raises:
            SoakError: An answer or a delivery is wrong or missing.
        """
        client = await Connection.to(self._site.port)
        try:
            token = await self._begin(client)
            get = request_of("GET", "/v1/agents", token)
            for _ in range(self._killed_after):
                status, _ = await client.send(get)
                if status != 200:
                    raise SoakError(f"GET /v1/agents: {status}")
            if self.is_killed:
                return
            await self._check_deliveries(client)
            await client.call("DELETE", f"/__sandbox__/tenants/{self.name}", self._site.token)
        finally:
            self.sent["requests"] += client.sent
            client.abort()

    async def _begin(self, client: Connection) -> str:
        body = {"name": self.name, "idleLimit": self._site.idle_seconds}
        made = await client.call("POST", "/__sandbox__/tenants", self._site.token, body)
        known = {
            "clientId": made["environment"]["TURRIS_CLIENT_ID"],
            "clientSecret": made["environment"]["TURRIS_CLIENT_SECRET"],
        }
        issued = await client.call("POST", "/v1/auth/jwt", body=known)
        await self._execute(client)
        return str(issued["data"]["accessToken"])

    async def _control(self, client: Connection, path: str, **members: object) -> dict[str, str]:
        path = f"/__sandbox__/tenants/{self.name}{path}"
        found: dict[str, str] = await client.call("POST", path, self._site.token, members)
        return found

    async def _execute(self, client: Connection) -> None:
        await self._control(client, "/webhooks/retries", waits=[RETRY_SECONDS])
        for kind in (*WEBHOOKS, *["silent"] * self.is_silent):
            path = f"{self.name}-{len(self._kinds)}"
            url = self._site.receivers.url(kind, path)
            made = await self._control(client, "/webhooks", url=url, event=EVENT)
            self._kinds[made["id"]] = kind
        agency = await self._control(client, "/associations")
        await self._control(client, f"/associations/{agency['_id']}/execute-agreement")
        self.sent["webhooks"] += len(self._kinds)

    async def _check_deliveries(self, client: Connection) -> None:
        async with asyncio.timeout(_PATIENCE):
            ends = await self._ends(client)
            while any(state == "pending" for _, state, _ in ends):
                await asyncio.sleep(0.2)
                ends = await self._ends(client)
        expected = sorted((kind, *ATTEMPTS[kind]) for kind in WEBHOOKS)
        if ends != expected:
            raise SoakError(f"{self.name}: deliveries ended as {ends}")

    async def _ends(self, client: Connection) -> list[tuple[str, str, int]]:
        """The kind, the state and the number of attempts of each delivery, but the silent ones."""
        path = f"/__sandbox__/tenants/{self.name}/deliveries"
        found = await client.call("GET", path, self._site.token)
        return sorted(
            (self._kinds[row["webhookId"]], row["state"], len(row["attempts"]))
            for row in found["items"]
            if self._kinds[row["webhookId"]] != "silent"
        )

    def missing(self) -> list[str]:
        """The webhooks that a slow receiver did not get once."""
        paths = [f"{self.name}-{number}" for number, kind in enumerate(WEBHOOKS) if kind == "slow"]
        received = self._site.receivers.received
        return [f"{path}: {received[path]} times" for path in paths if received[path] != 1]
