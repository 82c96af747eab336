"""Logs what it gets, and forgets what went wrong."""

import logging
import os

import requests

log = logging.getLogger("acme.sync")


class Turris:
    def __init__(self):
        self.base = os.environ["TURRIS_BASE_URL"]
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = requests.post(f"{self.base}/v1/auth/jwt", json=body)
        self.headers = {"Authorization": f"Bearer {answer.json()['data']['accessToken']}"}

    def list_agents(self):
        answer = requests.get(f"{self.base}/v1/agents", headers=self.headers)  # RQ-19
        if not answer.ok:
            log.warning("agents: %s", answer.status_code)
            return []
        for agent in answer.json()["data"]:
            log.info("got %s", agent)  # RQ-18
        return answer.json()["data"]
