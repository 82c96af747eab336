"""Whose token it is: tenants, environments, rotated secrets."""

import functools
import os
import threading
import time
from typing import Any, ClassVar

import httpx
from strangers.clients.correct.plain import Plain, TokenState
from strangers.clients.correct.shared.answers import Grant
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import broken


@broken("TC-56")
class TokenOfTheClass(Plain):
    """The token is an attribute of the class: all tenants of the process share the first one's."""

    shared: ClassVar[TokenState] = TokenState()
    shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        super().__init__()
        self.state = type(self).shared
        self.lock = type(self).shared_lock


_TOKENS: dict[str, tuple[Grant, float]] = {}


class ModuleCache(Plain):
    """A module-wide dict of tokens; subclasses choose the key."""

    def key(self) -> str:
        raise NotImplementedError

    def token(self, refused: str = "") -> str:
        with self.lock:
            grant, asked_at = _TOKENS.get(self.key(), (None, 0.0))
            now = time.time()
            fresh = grant is not None and 0 <= now - asked_at <= grant.seconds - 300
            if grant is None or not fresh or grant.token == refused:
                grant = self.ask()
                _TOKENS[self.key()] = grant, now
            return grant.token


@broken("TC-56")
class KeyedByAddress(ModuleCache):
    """Tokens are cached by the API's address: two tenants at one address share a token."""

    def key(self) -> str:
        return f"address {self.settings.base_url}"


@broken("TC-56")
class KeyedByName(ModuleCache):
    """The key of the cache is the word "turris": the first client fills it for all."""

    def key(self) -> str:
        return "turris"


@broken("TC-56")
class KeyedByShortId(ModuleCache):
    """The key is the first part of the client id, which many ids have in common."""

    def key(self) -> str:
        return "short " + self.settings.client_id[:16]


@broken(
    "TC-56",
    argument="a factory that ignores the environment looks like one that got its settings by hand; "
    "the rule says so and is not observed",
)
class CachedFactory(Plain):
    """@functools.cache on the factory without arguments: the first tenant's settings for all."""

    @staticmethod
    @functools.cache
    def _settings() -> Settings:
        return Settings.from_env()

    def __init__(self) -> None:
        super().__init__()
        self.settings = CachedFactory._settings()
        self.http = self.make_http()


@broken("TC-24")
class SecretOfImportTime(Plain):
    """Reads the secret once per process, so a rotated one is not seen until a restart."""

    _first: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        cls = type(self)
        cls._first = cls._first or self.settings.client_secret
        self.settings = Settings(
            self.settings.base_url, self.settings.client_id, cls._first, self.settings.timeout
        )


@broken("TC-32")
class AlwaysTheSandbox(Plain):
    """The address of the sandbox is in the code, whatever TURRIS_BASE_URL says."""

    def make_http(self) -> httpx.Client:
        return httpx.Client(
            base_url="https://public.api.sandbox.turrisfi.com", timeout=self.settings.timeout
        )


@broken("TC-30")
class DefaultCredentials(Plain):
    """os.environ.get with a real-looking default: a missing setting goes unnoticed."""

    def __init__(self) -> None:
        self.default: dict[str, Any] = {
            "TURRIS_CLIENT_ID": "m2m-client-4f1c",
            "TURRIS_CLIENT_SECRET": "c2VjcmV0LXNlY3JldC1zZWNyZXQ",
        }
        for name, value in self.default.items():
            os.environ.setdefault(name, value)
        super().__init__()
