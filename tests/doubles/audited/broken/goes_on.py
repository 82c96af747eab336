"""Sends the rest of its list when it is limited, and looks at no answer."""

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

    def add_agents(self, npns):
        headers = {"Authorization": f"Bearer {self.token}"}
        for npn in npns:
            self.http.post("/v1/agents", json={"npn": npn}, headers=headers)  # RQ-09
