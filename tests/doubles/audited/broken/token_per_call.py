"""Signs in for each call: simple, and it always works."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])

    def headers(self):
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = self.http.post("/v1/auth/jwt", json=body)  # RQ-05
        return {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}

    def list_agents(self):
        return self.http.get("/v1/agents", headers=self.headers()).json()["data"]
