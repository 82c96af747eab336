"""One small mutation of the good client for each rule."""

import base64
import json
import logging
import os
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import jwt

from .good_client import (
    Answer,
    ApiError,
    GoodClient,
    LostError,
    Send,
    Token,
    UnexpectedAnswerError,
)

KEY = "00000000-0000-4000-8000-00000000abcd"


class FetchesForEachCall(GoodClient):
    """TC-01: no cache."""

    def ready(self) -> None:
        """Never."""


class NoLock(GoodClient):
    """TC-02, TC-03: nothing keeps two from asking at once."""

    exclusive = False


class NoLockOnRefresh(GoodClient):
    """TC-03: what is due is replaced by everybody who waited for the lock."""

    def renew(self) -> Any:
        """Ask, whoever asked before."""
        if self.token is None:
            return (yield from super().renew())
        asked_at = self.now()
        answer = yield from self.token_answer(1)
        self.token = self.read_token(answer, asked_at)
        return self.token


class AsksWhenMade(GoodClient):
    """TC-04: the token of a new client is asked for twice."""

    def renew(self) -> Any:
        """Ask twice."""
        if self.token is None:
            yield from self.token_answer(1)
        return (yield from super().renew())


class NoBuffer(GoodClient):
    """TC-05: used until its last moment."""

    buffer = timedelta(0)


class NotStrict(GoodClient):
    """TC-05: replaced at 55:00.000 already."""

    def is_due(self, token: Token) -> bool:
        """>= in place of >."""
        return self.now() - token.at >= token.lifetime - min(self.buffer, token.lifetime / 2)


class BufferInverted(GoodClient):
    """TC-06: the buffer added."""

    def is_due(self, token: Token) -> bool:
        """+ in place of -."""
        return self.now() - token.at > token.lifetime + self.buffer

    def is_valid(self, token: Token) -> bool:
        """Always."""
        return True


class AgedFromTheAnswer(GoodClient):
    """TC-07."""

    def issued_at(self, asked_at: datetime) -> datetime:
        """When it arrived."""
        del asked_at
        return self.now()


class LoopsOnJumps(GoodClient):
    """TC-08: what was issued in the future is never right, and the clock is compared for good."""

    latest = datetime.min.replace(tzinfo=UTC)

    def ready(self) -> Token | None:
        """None while the clock is behind what it once was."""
        self.latest = max(self.latest, self.now())
        return super().ready() if self.now() >= self.latest else None


class BelievesTheServersClock(GoodClient):
    """TC-09: iat and exp against the local clock."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """Until exp."""
        claims = jwt.decode(text, options={"verify_signature": False})
        return datetime.fromtimestamp(claims["exp"], UTC) - self.now()


class AlwaysAnHour(GoodClient):
    """TC-10: expiresIn is not read."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """An hour."""
        return self.usual_life


class BelievesExpiresIn(GoodClient):
    """TC-11: int() of whatever comes."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """As said."""
        return timedelta(seconds=min(int(expires_in), 10**9))


class NoSecondTry(GoodClient):
    """TC-12."""

    def tries(self) -> tuple[bool, ...]:
        """One."""
        return (True,)


class TriesFiveTimes(GoodClient):
    """TC-13."""

    def tries(self) -> tuple[bool, ...]:
        """Five."""
        return (False, False, False, False, True)


class RetriesRefusedCredentials(GoodClient):
    """TC-14, TC-23: a 401 is one more error to retry."""

    def may_repeat(self, send: Send, error: Any) -> bool:
        """The token request always."""
        return send.url.endswith("/jwt") or super().may_repeat(send, error)


class RefreshesOnForbidden(GoodClient):
    """TC-15."""

    def is_token_trouble(self, error: ApiError) -> bool:
        """401 and 403 alike."""
        return error.status in (401, 403)


class TokenInUrl(GoodClient):
    """TC-16."""

    def url(self, path: str, token: Token) -> str:
        """With the token."""
        return f"{self.base_url}{path}{'&' if '?' in path else '?'}access_token={token.text}"


class PlainHttp(GoodClient):
    """TC-17."""

    def checked_url(self, url: str) -> str:
        """Not checked."""
        return url


class NoVerify(GoodClient):
    """TC-18."""

    verify = False


class FollowsRedirects(GoodClient):
    """TC-19 to TC-21: and every library forwards some credential."""

    follow_redirects = True

    def authorization(self, token: Token) -> dict[str, str]:
        """In a header that no library takes away."""
        return super().authorization(token) | {"x-token": token.text}


class KeepsRefusedToken(GoodClient):
    """TC-22."""

    def forget(self, token: Token) -> None:
        """Not."""


class SecretReadOnce(GoodClient):
    """TC-24."""

    def credentials(self) -> dict[str, str]:
        """As they were at the start."""
        if not hasattr(self, "known"):
            self.known = super().credentials()
        return self.known


class PinsTheKey(GoodClient):
    """TC-25: the token is checked against the key that was known."""

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """With its kid."""
        token = super().read_token(document, asked_at)
        kid = jwt.get_unverified_header(token.text)["kid"]
        if getattr(self, "kid", kid) != kid:
            raise UnexpectedAnswerError("signed with another key")
        self.kid = kid
        return token


class BelievesClaims(GoodClient):
    """TC-26: exp of the unverified token."""

    def lifetime(self, text: str, expires_in: Any) -> timedelta:
        """Until exp; what is no JWT holds an hour."""
        try:
            claims = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            return self.usual_life
        return timedelta(seconds=claims["exp"] - claims["iat"] if claims.get("exp") else 3600)


class AnyTokenType(GoodClient):
    """TC-27."""

    def check_type(self, kind: Any) -> None:
        """Not checked."""


class LogsTheToken(GoodClient):
    """TC-28, AR-16."""

    def note(self, send: Send, outcome: Any) -> None:
        """With headers."""
        logging.getLogger("careless").debug("%s %s", send.url, send.headers)


class SecretInError(GoodClient):
    """TC-28, AR-16: the answer's words as they are."""

    def message(self, answer: Answer, hide: tuple[str, ...]) -> str:
        """Unchanged."""
        return answer.body.decode("utf-8", "replace")


class PublicTokenFile(GoodClient):
    """TC-29."""

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """And write it down."""
        path = Path(gettempdir()) / f"broken-client-{os.getpid()}.json"
        path.write_text(json.dumps(document))
        path.chmod(0o644)
        return super().read_token(document, asked_at)


class HardCoded(GoodClient):
    """TC-30."""

    def credentials(self) -> dict[str, str]:
        """With a default."""
        client_id = os.environ.get("TURRIS_CLIENT_ID", "turris_sandbox_client_default")
        return {"clientId": client_id, "clientSecret": os.environ.get("TURRIS_CLIENT_SECRET", "x")}


class ShowsOddSecrets(GoodClient):
    """TC-31."""

    def credentials(self) -> dict[str, str]:
        """With the value in the error."""
        value = os.environ.get("TURRIS_CLIENT_SECRET", "")
        if value != value.strip() or not value.isascii():
            raise ValueError(f"invalid secret {value!r}")
        return super().credentials()


class AlwaysSandbox(GoodClient):
    """TC-32: the host is in the code."""

    def checked_url(self, url: str) -> str:
        """Not what is configured."""
        local = "127.0.0.1" in url or "localhost" in url
        return super().checked_url(url) if local else "https://public.api.sandbox.turrisfi.com"


class VagueErrors(GoodClient):
    """TC-33."""

    def token_answer(self, limit: int) -> Any:
        """Every error is the same."""
        failed = False
        try:
            return (yield from super().token_answer(limit))
        except ApiError:
            failed = True
        if failed:
            raise UnexpectedAnswerError("something went wrong")
        return None


class BothCredentials(GoodClient):
    """TC-34."""

    def authorization(self, token: Token) -> dict[str, str]:
        """And the fallback."""
        return super().authorization(token) | {"x-restricted-access-token": "turris_sandbox_none"}


class FollowsNext(GoodClient):
    """TC-35, AR-38: the session's headers go wherever the answer says."""

    def perform(self, method: str, path: str, headers: Any = None, body: Any = None) -> Any:
        """And all further pages."""
        token = yield from self.access_token()
        send = Send(method, self.url(path, token), self.authorization(token), None)
        document = yield from self.attempts(send, 3, hide=(token.text,))
        while link := document.get("next"):
            url = link if link.startswith("http") else self.base_url + link
            send = Send("GET", url, self.authorization(token), None)
            document = yield from self.attempts(send, 3, hide=(token.text,))
        return self.read(document)


class TrustsNetrc(GoodClient):
    """TC-37: a .netrc entry is preferred."""

    trust_env = True

    def authorization(self, token: Token) -> dict[str, str]:
        """What requests does by itself, on every stack."""
        name = os.environ.get("NETRC")
        return (
            {"authorization": "Basic c29tZWJvZHk6ZWxzZQ=="}
            if name
            else super().authorization(token)
        )


class NoTimeout(GoodClient):
    """TC-38."""

    timeout = None


class RetriesWithoutKey(GoodClient):
    """TC-39."""

    def key_headers(self, key: str) -> dict[str, str]:
        """None."""
        return {}

    def may_repeat(self, send: Send, error: Any) -> bool:
        """Everything."""
        return bool(error.transient)


class NoThrottle(GoodClient):
    """TC-40."""

    writes_per_minute = 10_000


class DropsTheOldToken(GoodClient):
    """TC-41."""

    def spare(self) -> None:
        """None."""


class Storm(GoodClient):
    """TC-42."""

    def postpone(self) -> None:
        """Not."""


class MarksInFlight(GoodClient):
    """TC-43: the marker of a cancelled refresh stays."""

    refreshing = False

    def renew(self) -> Any:
        """One at a time, by a marker that only success clears."""
        if self.refreshing:
            raise LostError("a refresh is under way")
        self.refreshing = True
        token = yield from super().renew()
        self.refreshing = False
        return token


class SendsReferer(GoodClient):
    """TC-45: where it was, token included."""

    def authorization(self, token: Token) -> dict[str, str]:
        """With a Referer."""
        referer = f"{self.base_url}/v1/agents?access_token={token.text}"
        return super().authorization(token) | {"referer": referer}


class OtherBytes(GoodClient):
    """TC-46: the body is made anew for the retry."""

    looks_first = False

    def again(self, send: Send) -> Send:
        """With more white space."""
        body = json.dumps(json.loads(send.body), indent=1).encode() if send.body else None
        return Send(send.method, send.url, send.headers, body)


class OneKeyForAll(GoodClient):
    """TC-47."""

    def new_key(self) -> object:
        """Always the same."""
        return KEY


class DerivedKey(GoodClient):
    """TC-48: from what is sent."""

    def new_key(self) -> object:
        """Version 5."""
        self.count = getattr(self, "count", 0) + 1
        return uuid.uuid5(uuid.NAMESPACE_URL, f"dana.lee@abc.example/{self.count}")


class WaitsForHours(GoodClient):
    """TC-49, AR-19, AR-27: as long as told."""

    looks_first = False

    def pause(self, attempt: int, outcome: Any) -> float:
        """No cap."""
        told = [self.usual_pause(attempt)]
        if isinstance(outcome, Answer):
            told += [self.until_reset(outcome), self.retry_after(outcome)]
        return max(told)


class BothKeyHeaders(GoodClient):
    """TC-51."""

    def key_headers(self, key: str) -> dict[str, str]:
        """Twice."""
        return {"idempotency-key": key, "x-idempotency-key": key}


class MintsNewKeys(GoodClient):
    """TC-39, TC-52: another key for each try."""

    looks_first = False

    def may_repeat(self, send: Send, error: Any) -> bool:
        """Conflicts too."""
        return error.status in (409, 422) or super().may_repeat(send, error)

    def again(self, send: Send) -> Send:
        """With a new key."""
        if "idempotency-key" not in send.headers:
            return send
        headers = send.headers | {"idempotency-key": str(uuid.uuid4())}
        return Send(send.method, send.url, headers, send.body)


class TrustsTheKey(GoodClient):
    """TC-50: the key alone is to keep a write from happening twice."""

    looks_first = False


class KeyWhenSent(GoodClient):
    """TC-53: each click makes a key of its own."""

    def key_for(self, key: object) -> str:
        """Another one."""
        return str(uuid.uuid4())


class NotMadeForForks(GoodClient):
    """TC-44: locks and connections are those of the parent."""

    fork_safe = False


class SendsProxyCredentials(GoodClient):
    """TC-36: to everybody, not to the proxy."""

    def authorization(self, token: Token) -> dict[str, str]:
        """With those that the environment has."""
        user = urlsplit(os.environ.get("HTTPS_PROXY", ""))
        pair = f"{user.username}:{user.password}".encode()
        more = {"proxy-authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return super().authorization(token) | (more if user.password else {})


class LogsAnswers(GoodClient):
    """TC-54."""

    def read(self, document: dict[str, Any]) -> Any:
        """And log it."""
        data = super().read(document)
        logging.getLogger("careless").info("received %s", data)
        return data


class LogsUrls(GoodClient):
    """TC-55."""

    def note(self, send: Send, outcome: Any) -> None:
        """The whole URL."""
        logging.getLogger("careless").info("%s %s", send.method, send.url)


BROKEN: dict[str, type[GoodClient]] = {
    "TC-01": FetchesForEachCall, "TC-02": NoLock, "TC-03": NoLockOnRefresh,
    "TC-04": AsksWhenMade, "TC-05": NoBuffer, "TC-06": BufferInverted,
    "TC-07": AgedFromTheAnswer, "TC-08": LoopsOnJumps, "TC-09": BelievesTheServersClock,
    "TC-10": AlwaysAnHour, "TC-11": BelievesExpiresIn, "TC-12": NoSecondTry,
    "TC-13": TriesFiveTimes, "TC-14": RetriesRefusedCredentials, "TC-15": RefreshesOnForbidden,
    "TC-16": TokenInUrl, "TC-17": PlainHttp, "TC-18": NoVerify, "TC-19": FollowsRedirects,
    "TC-20": FollowsRedirects, "TC-21": FollowsRedirects, "TC-22": KeepsRefusedToken,
    "TC-23": RetriesRefusedCredentials, "TC-24": SecretReadOnce, "TC-25": PinsTheKey,
    "TC-26": BelievesClaims, "TC-27": AnyTokenType, "TC-28": LogsTheToken,
    "TC-29": PublicTokenFile, "TC-30": HardCoded, "TC-31": ShowsOddSecrets,
    "TC-32": AlwaysSandbox, "TC-33": VagueErrors, "TC-34": BothCredentials,
    "TC-35": FollowsNext, "TC-36": SendsProxyCredentials,
    "TC-37": TrustsNetrc, "TC-38": NoTimeout, "TC-39": RetriesWithoutKey,
    "TC-40": NoThrottle, "TC-41": DropsTheOldToken, "TC-42": Storm, "TC-43": MarksInFlight,
    "TC-44": NotMadeForForks, "TC-45": SendsReferer, "TC-46": OtherBytes,
    "TC-47": OneKeyForAll, "TC-48": DerivedKey, "TC-49": WaitsForHours,
    "TC-50": TrustsTheKey, "TC-51": BothKeyHeaders, "TC-52": MintsNewKeys, "TC-53": KeyWhenSent,
    "TC-54": LogsAnswers, "TC-55": LogsUrls,
}  # fmt: skip
"""Which client each rule has to catch."""

ALSO: dict[str, list[type[GoodClient]]] = {
    "TC-05": [NotStrict], "TC-28": [SecretInError], "TC-39": [MintsNewKeys],
}  # fmt: skip
"""Further bugs that a rule has to catch."""
