"""Keeps its audit log in a file, a line of JSON for each request."""

import json
import logging
import os
from pathlib import Path

import httpx

log = logging.getLogger("acme.audit.records_in_a_file")


class Turris:
    def __init__(self):
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token = None

    def sign_in(self):
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        self.token = self.request("POST", "/v1/auth/jwt", json=body)["data"]["accessToken"]

    def invite(self, name, email):
        if self.token is None:
            self.sign_in()
        body = {
            "downstreamEntityName": name,
            "firstName": "Dana",
            "lastName": "Lee",
            "email": email,
            "category": "agency",
            "isNpnRequired": True,
            "useInviteUrl": False,
        }
        return self.request("POST", "/v1/downstream-entity-associations/invite", json=body)

    def request(self, method, path, **content):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.http.request(method, path, headers=headers, **content)
        document = answer.json()
        row = {
            "call": f"{method} {path}",
            "status": answer.status_code,
            "id": document["requestId"],
        }
        with Path(os.environ["ACME_AUDIT"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return document
