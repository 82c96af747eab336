"""A consumer's client, sync and async: it keeps its token for 55 minutes."""

import datetime as dt
import os
from typing import Any

import httpx

LIFE = dt.timedelta(minutes=55)


class Tokens:
    """What both clients share: the token, and when to buy another."""

    def __init__(self) -> None:
        self.text = ""
        self.bought = dt.datetime.fromtimestamp(0, dt.UTC)

    @property
    def due(self) -> bool:
        """Whether it is time for another token."""
        return dt.datetime.now(dt.UTC) - self.bought > LIFE

    @staticmethod
    def question() -> dict[str, str]:
        """What the token endpoint wants to know."""
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        return {member: os.environ[name] for member, name in names.items()}

    def keep(self, answer: httpx.Response) -> None:
        """Remember the token of an answer."""
        self.text = answer.raise_for_status().json()["data"]["accessToken"]
        self.bought = dt.datetime.now(dt.UTC)

    @property
    def header(self) -> dict[str, str]:
        """What a call needs."""
        return {"Authorization": f"Bearer {self.text}"}


def npns(answer: httpx.Response) -> list[str]:
    """The agents of a list."""
    entries: list[Any] = answer.raise_for_status().json()["data"]
    return [entry["agent"]["npn"] for entry in entries]


class Directory:
    """The sync client."""

    def __init__(self, **options: Any) -> None:
        options = {"trust_env": False, **options}
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"], **options)
        self.tokens = Tokens()

    def agents(self) -> list[str]:
        """The NPNs of all agents."""
        if self.tokens.due:
            self.tokens.keep(self.http.post("/v1/auth/jwt", json=self.tokens.question()))
        return npns(self.http.get("/v1/agents", headers=self.tokens.header))


class AsyncDirectory:
    """The async client."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"], trust_env=False)
        self.tokens = Tokens()

    async def agents(self) -> list[str]:
        """The NPNs of all agents."""
        if self.tokens.due:
            self.tokens.keep(await self.http.post("/v1/auth/jwt", json=self.tokens.question()))
        return npns(await self.http.get("/v1/agents", headers=self.tokens.header))
