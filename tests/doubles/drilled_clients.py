"""Clients that follow a rotation or a revocation of their credentials, and clients that do not."""

import os

import httpx


class Careful:
    """Reads the secret whenever it needs a token, and asks for one more after a 401."""

    most = 1

    def __init__(self) -> None:
        self.http = httpx.Client(base_url=os.environ["TURRIS_BASE_URL"])
        self.token = ""

    def secret(self) -> str:
        """The secret of this moment."""
        return os.environ["TURRIS_CLIENT_SECRET"]

    def sign_in(self) -> None:
        """Get a token."""
        body = {"clientId": os.environ["TURRIS_CLIENT_ID"], "clientSecret": self.secret()}
        answer = self.http.post("/v1/auth/jwt", json=body)
        answer.raise_for_status()
        self.token = answer.json()["data"]["accessToken"]

    def agents(self) -> object:
        """List agents; a refusal is an error."""
        for _ in range(self.most + 1):
            if not self.token:
                self.sign_in()
            headers = {"Authorization": f"Bearer {self.token}"}
            answer = self.http.get("/v1/agents", headers=headers)
            if answer.status_code != 401:
                break
            self.token = ""
        answer.raise_for_status()
        return answer.json()


class KeepsItsSecret(Careful):
    """Reads it once, at its start."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = os.environ["TURRIS_CLIENT_SECRET"]

    def secret(self) -> str:
        """The secret of the start."""
        return self.kept


class GoesOn(Careful):
    """Tries for a token again and again."""

    def sign_in(self) -> None:
        """Get a token, some time."""
        for attempt in range(6):
            try:
                return super().sign_in()
            except httpx.HTTPStatusError:
                if attempt == 5:
                    raise
        return None
