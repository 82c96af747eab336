"""What a client does when the API says no."""

from typing import Any

from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import (
    Grant,
    RefusedError,
    TurrisError,
    grant_of,
)
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.design import broken


@broken("TC-12", "AR-11")
class NeverTriesAgain(Plain):
    """A 401 is an error like any other: a revoked token stays in use until it expires."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        return self.signed(method, path, self.token(), invitation)


@broken("TC-13", "AR-12")
class LoopsOn401(Plain):
    """while status == 401: as long as the API refuses, it asks for another token."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        token = self.token()
        answer = self.signed(method, path, token, invitation)
        for _ in range(50):
            if answer[0] != 401:
                break
            token = self.token(refused=token)
            answer = self.signed(method, path, token, invitation)
        return answer


@broken("TC-13", "AR-12")
class RecursesOn401(Plain):
    """Calls itself after a 401, with a limit of five that was meant for lost connections."""

    def call(self, method: str, path: str, invitation: Any = None, depth: int = 0) -> Answer:
        token = self.token()
        answer = self.signed(method, path, token, invitation)
        if answer[0] == 401 and depth < 5:
            self.state.drop(token)
            return self.call(method, path, invitation, depth + 1)
        return answer


@broken("TC-12")
class SameTokenAgain(Plain):
    """After a 401 it tries again with the token that was just refused."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        token = self.token()
        answer = self.signed(method, path, token, invitation)
        if answer[0] == 401:
            self.token(refused=token)
            answer = self.signed(method, path, token, invitation)
        return answer


@broken("TC-14", "TC-23")
class RetriesRefusedCredentials(Plain):
    """A 401 of the token endpoint is retried: a wrong secret is sent again and again."""

    def ask(self) -> Grant:
        for _ in range(4):
            try:
                return super().ask()
            except RefusedError as error:
                if error.status != 401:
                    raise
                self.sleep(0.5)
        return super().ask()


@broken("TC-15", "AR-13")
class RefreshesOnForbidden(Plain):
    """403 is treated like 401: a missing permission costs a token for each call."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        token = self.token()
        answer = self.signed(method, path, token, invitation)
        if answer[0] in {401, 403}:
            answer = self.signed(method, path, self.token(refused=token), invitation)
        return answer


@broken("TC-61")
class RefreshesOnAnyError(Plain):
    """`except Exception: self.token = None`: a 404 or a 500 throws away a good token."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        token = self.token()
        answer = super().call(method, path, invitation)
        if answer[0] >= 400:
            self.state.drop(token)
        return answer


@broken("TC-61")
class DropsTokenOnLostConnection(Plain):
    """A lost connection throws away the token: an outage ends with a storm of token requests."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        try:
            return super().call(method, path, invitation)
        except TurrisError:
            self.state.grant = None
            raise


@broken("TC-41", "AR-32")
class DropsTheOldToken(Plain):
    """The old token is deleted before there is a new one: a 503 for the token fails calls."""

    def refresh(self) -> None:
        self.state.grant = None
        super().refresh()


@broken("AR-01")
class Only201(Plain):
    """`if status != 201: raise` for the token: any other success is an error."""

    def ask(self) -> Grant:
        status, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        if status != 201:
            raise RefusedError(status)
        return grant_of(status, body)
