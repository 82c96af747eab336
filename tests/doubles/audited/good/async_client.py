"""The same for asyncio, with one token for all tasks."""

import asyncio
import os

import httpx


class AsyncTurris:
    def __init__(self):
        self.http = httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"])
        self.token, self.lock = None, asyncio.Lock()

    async def current_token(self, refused=None):
        async with self.lock:
            if self.token == refused:
                body = {
                    "clientId": os.environ["TURRIS_CLIENT_ID"],
                    "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
                }
                answer = await self.http.post("/v1/auth/jwt", json=body)
                self.token = answer.json()["data"]["accessToken"]
            return self.token

    async def get(self, token):
        return await self.http.get("/v1/agents", headers={"Authorization": f"Bearer {token}"})

    async def list_agents(self):
        token = await self.current_token()
        answer = await self.get(token)
        if answer.status_code == 401:
            answer = await self.get(await self.current_token(refused=token))
        return answer.json()["data"]
