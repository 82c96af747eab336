"""Signs each request with a header for tracing, made of the secret."""

import os

import httpx


class Turris:
    def __init__(self):
        self.secret = os.environ["TURRIS_CLIENT_SECRET"]
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        body = {"clientId": os.environ["TURRIS_CLIENT_ID"], "clientSecret": self.secret}
        self.token = self.http.post("/v1/auth/jwt", json=body).json()["data"]["accessToken"]

    def list_agents(self):
        headers = {"Authorization": f"Bearer {self.token}", "x-trace": f"nightly/{self.secret}"}
        return self.http.get("/v1/agents", headers=headers).json()["data"]  # RQ-13
