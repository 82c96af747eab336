"""A directory of agents on Authlib's client of httpx2, as its documentation shows it."""

import os

from authlib.integrations.httpx_client import OAuth2Client

BUFFER = 300


class Directory:
    def __init__(self):
        self.base = os.environ["TURRIS_BASE_URL"]
        self.http = OAuth2Client(
            os.environ["TURRIS_CLIENT_ID"],
            os.environ["TURRIS_CLIENT_SECRET"],
            token_endpoint=f"{self.base}/v1/auth/jwt",
            grant_type="client_credentials",
            leeway=BUFFER,
        )

    def agents(self):
        return self._call("GET")

    def add(self, npn):
        return self._call("POST", json={"npn": npn})

    def _call(self, method, **options):
        if self.http.token is None:
            self.http.fetch_token()
        answer = self.http.request(method, f"{self.base}/v1/agents", **options)
        answer.raise_for_status()
        return answer.json()["data"]
