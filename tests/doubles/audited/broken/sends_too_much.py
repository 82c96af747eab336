"""Sends its whole row, for the day on which Turris might want it."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        self.token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]

    def add_agent(self, row):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.post("/v1/agents", json=row, headers=headers).json()  # RQ-14
