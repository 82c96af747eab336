"""A consumer's client, sync and async, that keeps its token for 55 minutes."""

import datetime as dt
import os
from typing import Any

import httpx

LIFE = dt.timedelta(minutes=55)


class Tokens:
    """What both clients share: the token, and when to request another."""

    def __init__(self) -> None:
        self.text = ""
        self.requested_at = dt.datetime.fromtimestamp(0, dt.UTC)

    @property
    def due(self) -> bool:
        """Whether it is time to request a token."""
        return dt.datetime.now(dt.UTC) - self.requested_at > LIFE

    @staticmethod
    def question() -> dict[str, str]:
        """Return the body of a token request."""
        names = {"clientId": "TURRIS_CLIENT_ID", "clientSecret": "TURRIS_CLIENT_SECRET"}
        return {member: os.environ[name] for member, name in names.items()}

    def keep(self, answer: httpx.Response) -> None:
        """Store the token of a response."""
        self.text = answer.raise_for_status().json()["data"]["accessToken"]
        self.requested_at = dt.datetime.now(dt.UTC)

    @property
    def header(self) -> dict[str, str]:
        """The header of a call."""
        return {"Authorization": f"Bearer {self.text}"}


def npns(answer: httpx.Response) -> list[str]:
    """Return the NPNs of a list of agents."""
    entries: list[Any] = answer.raise_for_status().json()["data"]
    return [entry["agent"]["npn"] for entry in entries]


class Directory:
    """The sync client."""

    def __init__(self, **options: Any) -> None:
        options = {"trust_env": False, **options}
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"], **options)
        self.tokens = Tokens()

    def agents(self) -> list[str]:
        """Return the NPNs of all agents."""
        if self.tokens.due:
            self.tokens.keep(self.http.post("/v1/auth/jwt", json=self.tokens.question()))
        return npns(self.http.get("/v1/agents", headers=self.tokens.header))


class AsyncDirectory:
    """The async client."""

    def __init__(self) -> None:
        self.http = httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"], trust_env=False)
        self.tokens = Tokens()

    async def agents(self) -> list[str]:
        """Return the NPNs of all agents."""
        if self.tokens.due:
            self.tokens.keep(await self.http.post("/v1/auth/jwt", json=self.tokens.question()))
        return npns(await self.http.get("/v1/agents", headers=self.tokens.header))
