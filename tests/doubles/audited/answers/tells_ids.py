"""Logs ids, and says which request has failed."""

import logging
import os

import requests

log = logging.getLogger("acme.sync")


class TurrisError(Exception):
    pass


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
        answer = requests.get(f"{self.base}/v1/agents", headers=self.headers)
        if not answer.ok:
            raise TurrisError(f"{answer.status_code}, {answer.json().get('requestId')}")
        for agent in answer.json()["data"]:
            log.info("got the agent with the NPN %s", agent["agent"]["npn"])
        return answer.json()["data"]
