"""Follows redirects, because one proxy in the office answers with them."""

import os

import requests


class Turris:
    def __init__(self):
        self.base = os.environ["TURRIS_BASE_URL"]
        self.headers = {"x-restricted-access-token": os.environ["TURRIS_RESTRICTED_TOKEN"]}

    def list_agents(self):
        answer = requests.get(f"{self.base}/v1/agents", headers=self.headers)  # RQ-03
        return answer.status_code
