"""A retrying transport below everything, writes too."""

import os

import httpx


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        self.token = self.request("POST", "/v1/auth/jwt", json=body)["data"]["accessToken"]

    def request(self, method, path, **content):
        for _ in range(3):
            try:
                answer = self.http.request(method, path, **content)  # RQ-10
            except httpx.TransportError:
                continue
            return answer.json()
        raise ConnectionError(path)

    def add_agent(self, npn):
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.request("POST", "/v1/agents", json={"npn": npn}, headers=headers)
