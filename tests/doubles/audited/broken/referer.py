"""Pretends to be a browser, Referer and all."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token = None

    def list_agents(self):
        if self.token is None:
            body = {
                "clientId": os.environ["TURRIS_CLIENT_ID"],
                "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
            }
            self.token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Referer": f"https://app.example/agents?session={self.token}",
        }
        return self.http.get("/v1/agents", headers=headers).json()["data"]  # RQ-02
