"""A careful client: one token, replaced in time; no redirects; writes with a key."""

import datetime as dt
import os
import time
import uuid

import httpx


class Refused(Exception):
    pass


class Turris:
    def __init__(self, sleep=None):
        self.sleep = sleep or time.sleep
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token, self.asked_at = None, None

    def sign_in(self):
        asked_at = dt.datetime.now(dt.UTC)
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = self.http.post("/v1/auth/jwt", json=body)
        if answer.status_code >= 400:
            raise Refused(answer.status_code)
        self.token, self.asked_at = answer.json()["data"]["accessToken"], asked_at

    def request(self, method, path, **content):
        age = dt.datetime.now(dt.UTC) - self.asked_at if self.token else None
        if age is None or age > dt.timedelta(minutes=55):
            self.sign_in()
        headers = {"Authorization": f"Bearer {self.token}", **content.pop("headers", {})}
        for _ in range(3):
            try:
                answer = self.http.request(method, path, headers=headers, **content)
            except httpx.TransportError:
                if "Idempotency-Key" in headers or method == "GET":
                    continue
                raise
            if answer.status_code == 429:
                until = int(answer.headers["x-ratelimit-reset"])
                self.sleep(max(until - dt.datetime.now(dt.UTC).timestamp(), 0))
                continue
            if answer.status_code >= 400:
                raise Refused(answer.status_code)
            return answer.json()["data"]
        raise Refused("too often")

    def list_agents(self, **params):
        return self.request("GET", "/v1/agents", params=params)

    def add_agent(self, npn):
        return self.request("POST", "/v1/agents", json={"npn": npn})

    def invite(self, name, email):
        body = {
            "downstreamEntityName": name,
            "firstName": "Dana",
            "lastName": "Lee",
            "email": email,
            "category": "agency",
            "isNpnRequired": True,
            "useInviteUrl": False,
        }
        key = {"Idempotency-Key": str(uuid.uuid4())}
        path = "/v1/downstream-entity-associations/invite"
        return self.request("POST", path, json=body, headers=key)
