"""Threads: who asks for a token, and how often."""

import functools
import threading
import time
from typing import Any

from strangers.clients.correct.plain import Answer, Plain
from strangers.clients.correct.shared.answers import RefusedError, TurrisError
from strangers.clients.design import broken


@broken("TC-02")
class NoLock(Plain):
    """No lock at all: fifty threads that start together ask for fifty tokens."""

    def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        if not self.state.usable():
            self.refresh()
        assert self.state.grant is not None
        return self.state.grant.token


@broken("TC-02", "TC-03")
class CheckedOutsideOnly(Plain):
    """The check is outside the lock: each thread that waited asks for another token in turn."""

    def token(self, refused: str = "") -> str:
        self.state.drop(refused)
        if not self.state.usable():
            with self.lock:
                self.refresh()
        assert self.state.grant is not None
        return self.state.grant.token


@broken("TC-02", "TC-03")
class LockPerCall(Plain):
    """A new lock is made in each call, which excludes no thread."""

    def token(self, refused: str = "") -> str:
        self.lock = threading.Lock()
        return super().token(refused)


@broken("TC-03")
class TokenPerThread(Plain):
    """The token is in threading.local(): every worker thread asks for one of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.mine = threading.local()

    def token(self, refused: str = "") -> str:
        mine = self.mine
        now = time.time()
        if getattr(mine, "token", refused) == refused or now - mine.at > 3300:
            mine.token, mine.at = self.ask().token, now
        return str(mine.token)


@broken("TC-02", "TC-03")
class UnguardedLruCache(Plain):
    """lru_cache calls the function in every thread that arrives before the first result."""

    def __init__(self) -> None:
        super().__init__()
        self.cached = functools.lru_cache(maxsize=1)(lambda _period: self.ask().token)

    def token(self, refused: str = "") -> str:
        if refused:
            self.cached.cache_clear()
        return self.cached(int(time.time() // 3000))


@broken("TC-58")
class AsksOncePerRefusal(Plain):
    """Each thread that got a 401 throws away whatever token is there, also the one just fetched."""

    def call(self, method: str, path: str, invitation: Any = None) -> Answer:
        answer = self.signed(method, path, self.token(), invitation)
        if answer[0] == 401:
            with self.lock:
                self.state.grant = None
            answer = self.signed(method, path, self.token(), invitation)
        return answer


@broken("TC-60", "AR-18")
class LockedForGood(Plain):
    """acquire() without try/finally: one failed token request blocks all later calls."""

    def token(self, refused: str = "") -> str:
        if not self.lock.acquire(timeout=5):
            raise TurrisError("the token is being refreshed")
        self.state.drop(refused)
        if not self.state.usable():
            self.refresh()
        assert self.state.grant is not None
        token = self.state.grant.token
        self.lock.release()
        return token


@broken("TC-60")
class RefreshingFlagStays(Plain):
    """A boolean `refreshing` that a failure leaves at True; the others then use the old token."""

    refreshing = False

    def token(self, refused: str = "") -> str:
        with self.lock:
            if self.refreshing and self.state.grant is not None:
                return self.state.grant.token
            if self.refreshing:
                raise TurrisError("there is no token yet")
            if self.state.usable() and self.state.grant and self.state.grant.token != refused:
                return self.state.grant.token
            self.refreshing = True
            self.refresh()
            self.refreshing = False
            assert self.state.grant is not None
            return self.state.grant.token


@broken("TC-60", "AR-18")
class GivesUpForGood(Plain):
    """After one refusal at the token endpoint the client is marked as failed until a restart."""

    failed: RefusedError | None = None

    def token(self, refused: str = "") -> str:
        if self.failed is not None:
            raise self.failed
        try:
            return super().token(refused)
        except RefusedError as error:
            self.failed = error
            raise


@broken("TC-42")
class EveryoneTries(Plain):
    """While the token endpoint is down, each waiting thread makes all its attempts in turn."""

    def refresh(self) -> None:
        for attempt in range(4):
            asked_at = time.time()
            try:
                grant = self.ask()
            except TurrisError:
                if attempt == 3:
                    raise
                time.sleep(0.2)
            else:
                return self.state.keep(grant, asked_at)
        return None


@broken("TC-44")
class LockAcrossFork(Plain):
    """A lock that a background thread holds while the process forks stays locked in the child."""

    _busy = threading.Event()

    def token(self, refused: str = "") -> str:
        token = super().token(refused)
        if not self._busy.is_set():
            self._busy.set()
            threading.Thread(target=self._report, daemon=True).start()
        return token

    def _report(self) -> None:
        with self.lock:
            threading.Event().wait(0.2)
