"""The production secret, with the host of the sandbox left in the code."""

import os

import httpx


def sign_in():
    body = {
        "clientId": os.environ["PRODUCTION_CLIENT_ID"],
        "clientSecret": os.environ["PRODUCTION_CLIENT_SECRET"],
    }
    url = "https://public.api.sandbox.turrisfi.com/v1/auth/jwt"
    return httpx.post(url, json=body).status_code  # RQ-12
