"""The same for asyncio, with one token for all tasks."""

import asyncio
import os

import httpx


class AsyncTurris:
    def __init__(self):
        self.http = httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"])
        self.token, self.lock = None, asyncio.Lock()

    async def list_agents(self):
        async with self.lock:
            if self.token is None:
                body = {
                    "clientId": os.environ["TURRIS_CLIENT_ID"],
                    "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
                }
                answer = await self.http.post("/v1/auth/jwt", json=body)
                self.token = answer.json()["data"]["accessToken"]
        headers = {"Authorization": f"Bearer {self.token}"}
        return (await self.http.get("/v1/agents", headers=headers)).json()["data"]
