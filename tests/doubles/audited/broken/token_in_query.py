"""A script that grew: the token travels as a parameter, as in an older API."""

import os

import httpx

BASE = os.environ.get("TURRIS_BASE_URL", "")


def get_token():
    body = {
        "clientId": os.environ["TURRIS_CLIENT_ID"],
        "clientSecret": os.environ["TURRIS_CLIENT_SECRET"],
    }
    answer = httpx.post(f"{os.environ['TURRIS_BASE_URL']}/v1/auth/jwt", json=body)
    return answer.json()["data"]["accessToken"]


def list_agents():
    token = get_token()
    url = f"{os.environ['TURRIS_BASE_URL']}/v1/agents?jwt={token}"
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(url, headers=headers).json()["data"]  # RQ-01 RQ-14 LK-01
