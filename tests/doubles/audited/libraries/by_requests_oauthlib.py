"""A directory of agents on requests-oauthlib, as its documentation shows it."""

import os

from oauthlib.oauth2 import BackendApplicationClient, TokenExpiredError
from requests_oauthlib import OAuth2Session


class Directory:
    def __init__(self):
        self.base = os.environ["TURRIS_BASE_URL"]
        self.client_id = os.environ["TURRIS_CLIENT_ID"]
        self.secret = os.environ["TURRIS_CLIENT_SECRET"]
        self.http = OAuth2Session(client=BackendApplicationClient(self.client_id))

    def agents(self):
        return self._call("GET")

    def add(self, npn):
        return self._call("POST", json={"npn": npn})

    def _fetch(self):
        self.http.fetch_token(
            f"{self.base}/v1/auth/jwt", client_id=self.client_id, client_secret=self.secret
        )

    def _call(self, method, **options):
        if not self.http.token:
            self._fetch()
        try:
            answer = self.http.request(method, f"{self.base}/v1/agents", **options)
        except TokenExpiredError:
            self._fetch()
            answer = self.http.request(method, f"{self.base}/v1/agents", **options)
        answer.raise_for_status()
        return answer.json()["data"]
