"""A client of a few lines, which keeps one token for ever: for cases about one thing only."""

from typing import Any

import httpx

from pytest_turris.core.sandbox import Sandbox


class PlainClient:
    """Gets one token, over httpx.

    Args:
        sandbox: Where it gets its URL and its credentials.
        path: What ``call`` gets.
    """

    def __init__(self, sandbox: Sandbox, path: str = "/v1/agents") -> None:
        self.sandbox = sandbox
        self.path = path
        self._token = ""

    def token(self) -> str:
        """The token, which never expires for this client."""
        if not self._token:
            self._token = self._new_token()
        return self._token

    def _new_token(self) -> str:
        own = self.sandbox.client
        body = {"clientId": own.client_id, "clientSecret": str(own.client_secret)}
        answer = httpx.post(f"{self.sandbox.base_url}/v1/auth/jwt", json=body)
        return str(answer.raise_for_status().json()["data"]["accessToken"])

    def call(self) -> Any:
        """One GET."""
        headers = {"authorization": f"Bearer {self.token()}"}
        answer = httpx.get(self.sandbox.base_url + self.path, headers=headers)
        return answer.raise_for_status().json()
