"""Still calls what the vendor takes away next year."""

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

    def surplus_lines(self, fein):
        path = "/v1/downstream-entity-associations/licenses/dangerously-surplus-lines"
        params = {"fein": fein, "stateCode": "CA"}
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.http.get(path, params=params, headers=headers).json()  # RQ-15
