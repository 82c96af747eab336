"""Knows no time: a 401 tells it that the token is over."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token = None

    def sign_in(self):
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        self.token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]

    def get(self, path):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.get(path, headers=headers)  # RQ-07

    def list_agents(self):
        if self.token is None:
            self.sign_in()
        answer = self.get("/v1/agents")
        if answer.status_code == 401:
            self.sign_in()
            answer = self.get("/v1/agents")
        return answer.json()["data"]
