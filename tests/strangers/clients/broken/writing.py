"""Writes: idempotency keys and bodies."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import (
    ConnectionLostError,
    TurrisError,
    records_of,
    url_of,
)
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.design import broken


@broken("AR-20")
class NewKeyForEachAttempt(Plain):
    """uuid4() inside the retry loop: the retry of a lost answer is a second invitation."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        if "content" in arguments:
            headers = dict(arguments["headers"]) | {"idempotency-key": str(uuid.uuid4())}
            arguments["headers"] = headers
        return super().once(method, path, **arguments)


@broken("TC-47")
class OneKeyForAll(Plain):
    """The key is made with the client: the second invitation gets the first one's answer."""

    def __init__(self) -> None:
        super().__init__()
        self.key = str(uuid.uuid4())

    def begin_invitation(self) -> Callable[[], str]:
        invitation = Invitation(f"Acme {uuid.uuid4()}", key=self.key)

        def send() -> str:
            status, _, body = self.call("POST", INVITE_PATH, invitation)
            return url_of(status, body)

        return send


@broken("TC-48")
class KeyFromTheData(Plain):
    """uuid5 of the email: a second invitation of the same person, meant so, is swallowed."""

    def begin_invitation(self) -> Callable[[], str]:
        key = str(uuid.uuid5(uuid.NAMESPACE_DNS, "ada.lane@example.com"))
        invitation = Invitation(key=key)

        def send() -> str:
            status, _, body = self.call("POST", INVITE_PATH, invitation)
            return url_of(status, body)

        return send


@broken("TC-46")
class OtherBytesOnRetry(Plain):
    """A timestamp in the body is set again for each attempt: same key, other body, 422."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        if "content" in arguments:
            data = json.loads(arguments["content"])
            data["externalId"] = uuid.uuid4().hex
            arguments["content"] = json.dumps(data).encode()
        return super().once(method, path, **arguments)


@broken("TC-51")
class BothKeyHeaders(Plain):
    """Sends idempotency-key and x-idempotency-key with different keys."""

    def headers(self, token: str) -> dict[str, str]:
        return super().headers(token) | {"x-idempotency-key": str(uuid.uuid4())}


@broken("TC-53")
class KeyWhenSent(Plain):
    """The key is made by the click, not by the form: a double click invites twice."""

    def begin_invitation(self) -> Callable[[], str]:
        def send() -> str:
            status, _, body = self.call("POST", INVITE_PATH, Invitation())
            return url_of(status, body)

        return send


@broken("AR-21")
class RetriesBadKey(Plain):
    """A 400 on a write is retried with another key, in case the first one was bad."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        answer = super().call(method, path, invitation)
        for _ in range(3):
            if answer[0] != 400:
                break
            answer = super().call(method, path, Invitation() if invitation else None)
        return answer


@broken("AR-20")
class RetriesAfterTheHour(Plain):
    """Waits as long as the answer asks and sends the write again after the key was forgotten."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        answer = super().call(method, path, invitation)
        if invitation is not None and answer[0] == 503:
            after = answer[1].get("retry-after", "")
            if after.isdigit() and int(after) < 7200:
                self.sleep(int(after))
                answer = super().call(method, path, invitation)
        return answer


@broken("TC-50", "AR-20")
class NewOperationAfterLoss(Plain):
    """After a lost answer the whole operation is begun again, with another key."""

    def begin_invitation(self) -> Callable[[], str]:
        first = super().begin_invitation()

        def send() -> str:
            try:
                return first()
            except ConnectionLostError:
                return Plain.begin_invitation(self)()

        return send

    def send(self, method: str, path: str, **arguments: Any) -> Answer:
        return self.once(method, path, **arguments)


@broken("AR-14")
class KeepsTheFailure(Plain):
    """Remembers a failed call and raises the same error again, although the API is back."""

    failed: TurrisError | None = None

    def agents(self) -> list[dict[str, Any]]:
        if self.failed is not None:
            raise self.failed
        status, _, body = self.call("GET", "/v1/agents")
        try:
            return records_of(status, body)
        except TurrisError as error:
            self.failed = error
            raise
