"""Written after the sample on the vendor's page."""

import os

import requests


def sign_in():
    body = {
        "client_id": os.environ["TURRIS_CLIENT_ID"],
        "client_secret": os.environ["TURRIS_CLIENT_SECRET"],
    }
    answer = requests.post(os.environ["TURRIS_BASE_URL"] + "/v1/auth/jwt", json=body)  # RQ-17
    return answer.json().get("access_token")
