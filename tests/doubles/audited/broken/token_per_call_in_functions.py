"""The same without an object: each function signs in."""

import os

import httpx


def call(path):
    with httpx.Client(base_url=os.environ["TURRIS_BASE_URL"]) as http:
        body = {
            "clientId": os.environ["TURRIS_CLIENT_ID"],
            "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
        }
        answer = http.post("/v1/auth/jwt", json=body)  # RQ-05
        token = answer.json()["data"]["accessToken"]
        return http.get(path, headers={"Authorization": f"Bearer {token}"}).json()["data"]


def list_agents():
    return [call("/v1/agents") for _ in range(5)]
