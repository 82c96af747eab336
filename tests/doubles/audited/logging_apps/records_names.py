"""Writes the name of the agency as somebody typed it."""

import logging
import os

import httpx

log = logging.getLogger("acme.audit.records_names")


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
        document, status = answer.json(), answer.status_code
        name = content["json"].get("downstreamEntityName", "")
        log.info("%s %s %s %s %s", method, path, status, document["requestId"], name)  # AU-3
        return document
