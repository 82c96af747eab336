"""Answers that are believed."""

import json
import time
from typing import Any

import jwt
from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import (
    HEADER_SAFE,
    Grant,
    TurrisError,
    data_of,
    record_of,
)
from strangers.clients.correct.shared.httpx_calls import TOKEN_PATH
from strangers.clients.design import broken


class RawToken(Plain):
    """Reads the token's answer by itself."""

    def answer(self) -> Any:
        status, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        return data_of(status, body)


@broken("TC-27")
class AnyTokenType(RawToken):
    """tokenType is not looked at: a token of another type is sent as a bearer token."""

    def ask(self) -> Grant:
        data = self.answer()
        if not isinstance(data, dict) or not isinstance(data.get("accessToken"), str):
            raise TurrisError("no token")
        if not HEADER_SAFE.fullmatch(data["accessToken"]):
            raise TurrisError("no usable token")
        return Grant(data["accessToken"])


@broken("TC-27")
class EchoesTokenType(Plain):
    """Authorization: <tokenType> <token>: whatever the answer says becomes the scheme."""

    kind = "Bearer"

    def ask(self) -> Grant:
        status, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        data = data_of(status, body)
        self.kind = str(data.get("tokenType", "Bearer"))
        if not isinstance(data.get("accessToken"), str):
            raise TurrisError("no token")
        return Grant(data["accessToken"])

    def headers(self, token: str) -> dict[str, str]:
        return {"authorization": f"{self.kind} {token}"}


@broken("AR-03")
class TakesAnyToken(RawToken):
    """str(data.get("accessToken")): a missing token becomes "None" and is cached for an hour."""

    def ask(self) -> Grant:
        return Grant(str(self.answer().get("accessToken")))


@broken("AR-04", "AR-05")
class BareKeyErrors(Plain):
    """response.json()["data"]["accessToken"] unguarded: KeyError, TypeError, RecursionError."""

    def ask(self) -> Grant:
        _, _, body = self.send("POST", TOKEN_PATH, json=self.settings.credentials)
        return Grant(json.loads(body)["data"]["accessToken"])


@broken("AR-05", "AR-06", "AR-09")
class BareJsonErrors(Plain):
    """json.loads of a list's answer without a guard."""

    def agents(self) -> list[dict[str, Any]]:
        _, _, body = self.call("GET", "/v1/agents")
        found: list[dict[str, Any]] = json.loads(body)["data"]
        return found


@broken("AR-34")
class TakesAnyRecord(Plain):
    """Does not compare the id of the record with the one that it asked for."""

    def agent(self, agent_id: str) -> dict[str, Any]:
        status, _, body = self.call("GET", f"/v1/agents/{agent_id}")
        data = data_of(status, body)
        return record_of(status, body, data["agent"]["_id"])


@broken("AR-23")
class NeedsEverything(Plain):
    """Insists on requestId, which the authentication page's sample does not have."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        if answer[0] < 300 and "requestId" not in json.loads(answer[2]):
            raise TurrisError("the answer has no requestId")
        return answer


@broken("TC-25")
class PinsTheKey(Plain):
    """Verifies the token with the key that the JWKS had at the first call: a rotation breaks it."""

    keys: Any = None

    def ask(self) -> Grant:
        grant = super().ask()
        if self.keys is None:
            answer = self.http.get("/.well-known/jwks.json")
            self.keys = {key["kid"] for key in answer.json()["keys"]}
        if jwt.get_unverified_header(grant.token)["kid"] not in self.keys:
            raise TurrisError("the token was signed with an unknown key")
        return grant


@broken("TC-09")
class ComparesIssuedAt(Plain):
    """Refuses a token whose iat is later than the local clock: one second of skew stops it."""

    def ask(self) -> Grant:
        grant = super().ask()
        claims = jwt.decode(grant.token, options={"verify_signature": False})
        if claims["iat"] > time.time() or claims["exp"] < time.time():
            raise TurrisError("the token is not valid yet")
        return grant


@broken("AR-22")
class WarnsByFailing(Plain):
    """A Deprecation header is an error."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        if "deprecation" in answer[1]:
            raise TurrisError("this operation is deprecated")
        return answer


@broken("TC-33")
class VagueErrors(Plain):
    """except Exception: return []: wrong credentials look like an agency without agents."""

    def agents(self) -> list[dict[str, Any]]:
        try:
            return super().agents()
        except Exception:
            return []


@broken("AR-37")
class CrashesOnLongHeaders(Plain):
    """Splits all headers into a record of at most a hundred for its statistics."""

    def once(self, method: str, path: str, **arguments: Any) -> Answer:
        answer = super().once(method, path, **arguments)
        names = dict(enumerate(answer[1]))
        if len(names) > 100:
            raise IndexError("list index out of range")
        return answer
