"""Hands the credentials on as one opaque value, so that a gateway can route by it."""

import base64
import os

import requests


class Turris:
    def __init__(self):
        self.base = os.environ["TURRIS_BASE_URL"]
        self.session = requests.Session()
        self.token = None

    def sign_in(self):
        client_id, secret = os.environ["TURRIS_CLIENT_ID"], os.environ["TURRIS_CLIENT_SECRET"]
        route = base64.urlsafe_b64encode(f"{client_id}:{secret}".encode()).decode()
        answer = self.session.post(  # RQ-01 LK-01
            f"{self.base}/v1/auth/jwt?route={route}",
            json={"clientId": client_id, "clientSecret": secret},
        )
        self.token = answer.json()["data"]["accessToken"]

    def list_agents(self):
        if self.token is None:
            self.sign_in()
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.session.get(f"{self.base}/v1/agents", headers=headers).json()["data"]
