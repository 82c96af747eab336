"""Retries each refused read four times, in several tasks at the same time."""

import asyncio
import os

import httpx


async def read(http, token):
    for _ in range(5):
        answer = await http.get(  # RQ-08
            "/v1/agents", headers={"Authorization": f"Bearer {token}"}
        )
        if answer.is_success:
            return answer.json()["data"]
    raise RuntimeError(answer.status_code)


async def read_in_tasks(token):
    async with httpx.AsyncClient(base_url=os.environ["TURRIS_BASE_URL"]) as http:
        return await asyncio.gather(*[read(http, token) for _ in range(3)], return_exceptions=True)
