"""A decorator that gives a function the token, as small code bases do it."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from strangers.clients.correct.shared.answers import RefusedError, records_of, refusal, url_of
from strangers.clients.correct.shared.httpx_calls import INVITE_PATH, Api, bearer
from strangers.clients.correct.shared.invitation import Invitation
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct

P = ParamSpec("P")


def with_token(
    function: Callable[Concatenate["Decorated", dict[str, str], P], tuple[int, bytes]],
) -> Callable[Concatenate["Decorated", P], tuple[int, bytes]]:
    """Passes the headers as the first argument; calls once more after a 401."""

    @functools.wraps(function)
    def wrapper(self: "Decorated", *args: P.args, **kwargs: P.kwargs) -> tuple[int, bytes]:
        token = self.token()
        status, body = function(self, bearer(token), *args, **kwargs)
        if status == 401:
            self.token.forget(token)
            status, body = function(self, bearer(self.token()), *args, **kwargs)
        if status >= 300:
            raise refusal(status, body)
        return status, body

    return wrapper  # type: ignore[return-value] # self is positional


class Cached:
    """Calls a function of no arguments at most once in ``seconds``, also from many threads."""

    def __init__(self, function: Callable[[], tuple[str, float]]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self._value = ""
        self._from = self._until = 0.0

    def __call__(self) -> str:
        with self._lock:
            now = time.time()
            if not self._from <= now <= self._until:
                self._value, seconds = self._function()
                self._from, self._until = now, now + seconds
            return self._value

    def forget(self, value: str) -> None:
        with self._lock:
            if self._value == value:
                self._from = self._until = 0.0


@correct()
class Decorated:
    """@with_token around functions; the token comes from a small cache object."""

    def __init__(self) -> None:
        self._api = Api(Settings.from_env())
        self.token = Cached(self._ask)

    def agents(self) -> list[dict[str, Any]]:
        return records_of(*self._list())

    def invite(self) -> str:
        invitation = Invitation("Pier 7 Agency")
        return url_of(*self._post(invitation))

    def close(self) -> None:
        self._api.close()

    @with_token
    def _list(self, headers: dict[str, str]) -> tuple[int, bytes]:
        return self._api.send("GET", "/v1/agents", headers=headers)

    @with_token
    def _post(self, headers: dict[str, str], invitation: Invitation) -> tuple[int, bytes]:
        headers = headers | invitation.headers
        return self._api.send("POST", INVITE_PATH, content=invitation.body, headers=headers)

    def _ask(self) -> tuple[str, float]:
        try:
            grant = self._api.ask()
        except RefusedError as error:
            raise RefusedError(error.status, "at the token endpoint") from None
        return grant.token, grant.seconds - 300
