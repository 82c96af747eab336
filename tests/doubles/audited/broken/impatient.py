"""Tries again at once when it is limited."""

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

    def add_agent(self, npn):
        headers = {"Authorization": f"Bearer {self.token}"}
        for _ in range(2):
            answer = self.http.post("/v1/agents", json={"npn": npn}, headers=headers)  # RQ-09
            if answer.status_code != 429:
                return answer.json()
        return None
