"""Sends all that it has; one of them will do."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]
        self.headers = {
            "Authorization": f"Bearer {token}",
            "x-restricted-access-token": os.environ["TURRIS_RESTRICTED_TOKEN"],
        }

    def list_agents(self):
        return self.http.get("/v1/agents", headers=self.headers).json()["data"]  # RQ-11
