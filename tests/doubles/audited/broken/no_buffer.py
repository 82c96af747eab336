"""Replaces the token when its hour is over, not before."""

import datetime as dt
import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token, self.until = None, None

    def list_agents(self):
        now = dt.datetime.now(dt.UTC)
        if self.token is None or now >= self.until:
            body = {
                "clientId": os.environ["TURRIS_CLIENT_ID"],
                "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
            }
            answer = self.http.post("/v1/auth/jwt", json=body)
            self.token = answer.json()["data"]["accessToken"]
            self.until = now + dt.timedelta(hours=1)
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.get("/v1/agents", headers=headers).json()["data"]  # RQ-06
