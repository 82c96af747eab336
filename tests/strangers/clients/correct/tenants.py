"""A pool of clients, one for each tenant of ours, each with credentials of its own."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from strangers.clients.correct.shared.answers import Grant, records_of
from strangers.clients.correct.shared.httpx_calls import Api, bearer
from strangers.clients.correct.shared.settings import Settings
from strangers.clients.design import correct


@dataclass
class Tenant:
    api: Api
    lock: threading.Lock = field(default_factory=threading.Lock)
    grant: Grant | None = None
    asked_at: float = 0.0

    def token(self, refused: str = "") -> str:
        with self.lock:
            if self.grant and self.grant.token == refused:
                self.grant = None
            now = time.time()
            if self.grant is None or not 0 <= now - self.asked_at <= self.grant.seconds - 300:
                self.grant, self.asked_at = self.api.ask(), now
            return self.grant.token


class Pool:
    """The clients by their settings: another secret or another address is another client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tenants: dict[Settings, Tenant] = {}

    def tenant(self, settings: Settings) -> Tenant:
        with self._lock:
            if settings not in self._tenants:
                self._tenants[settings] = Tenant(Api(settings))
            return self._tenants[settings]

    def close(self) -> None:
        for tenant in self._tenants.values():
            tenant.api.close()


@correct()
class TenantPool:
    """Looks its tenant up in a pool by (address, client id, secret)."""

    def __init__(self, pool: Pool | None = None, names: Mapping[str, str] | None = None) -> None:
        self._pool = pool or Pool()
        prefix = (names or {}).get("prefix", "TURRIS")
        self._settings = Settings.from_env(prefix)

    def agents(self) -> list[dict[str, Any]]:
        tenant = self._pool.tenant(self._settings)
        token = tenant.token()
        status, body = tenant.api.send("GET", "/v1/agents", headers=bearer(token))
        if status == 401:
            token = tenant.token(refused=token)
            status, body = tenant.api.send("GET", "/v1/agents", headers=bearer(token))
        return records_of(status, body)

    def close(self) -> None:
        self._pool.close()
