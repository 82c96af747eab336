"""Good receivers that defend themselves, or fall over: they limit rates, lock, die, or are slow."""

import collections
from typing import Any

from .good_receiver import ReceiverApp


class Counting(ReceiverApp):
    """Counts requests and refusals of each address, and forgets both when it is reset."""

    retry_after = ""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.reset()

    def reset(self) -> None:
        """Begin to count again."""
        self.counts = collections.defaultdict[str, collections.Counter[str]](collections.Counter)
        self.address = ""

    @property
    def requests(self) -> int:
        """How many requests there were from this address."""
        return self.counts[self.address]["requests"]

    @property
    def refusals(self) -> int:
        """How many of them were refused for their signature."""
        return self.counts[self.address]["refusals"]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.address = self.address_of(environ)
        self.counts[self.address]["requests"] += 1
        status, answer = self.guarded(environ)
        headers = [("Retry-After", "60")] if status in (429, 503) else []
        start_response(f"{status} x", headers if self.retry_after else [])
        return [answer]

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        """The answer, unless the guard has one."""
        status, answer = self.answer(environ)
        self.counts[self.address]["refusals"] += status == 401
        return status, answer

    def address_of(self, environ: dict[str, Any]) -> str:
        """Whose requests are counted together."""
        return str(environ["REMOTE_ADDR"])


class LimitsRate(Counting):
    """Answers 429 after 30 requests."""

    retry_after = "60"

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        return (429, b"slow down") if self.requests > 30 else super().guarded(environ)


class LimitsRateWith503(Counting):
    """Answers 503 after 30 requests, as nginx does."""

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        return (503, b"") if self.requests > 30 else super().guarded(environ)


class LimitsForgeries(Counting):
    """Answers 429 to forgeries after 20 of them, and goes on to accept genuine webhooks."""

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        status, answer = super().guarded(environ)
        return (429, b"") if status == 401 and self.refusals > 20 else (status, answer)


class Locks(Counting):
    """Answers 403 to everything after 20 bad signatures."""

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        return (403, b"locked") if self.refusals > 20 else super().guarded(environ)


class LocksEverybody(Locks):
    """Answers 403 to everybody after 20 bad signatures, whoever sent them."""

    def address_of(self, environ: dict[str, Any]) -> str:
        return ""


class Breaks(Counting):
    """Fails from the first unsigned request on."""

    broken = False

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        self.broken = self.broken or "HTTP_X_TURRIS_SIGNATURE" not in environ
        return (500, b"") if self.broken else super().guarded(environ)


class BreaksOnce(Counting):
    """Fails twice after each unsigned request."""

    failing = 0

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        self.failing -= 1
        if "HTTP_X_TURRIS_SIGNATURE" not in environ:
            self.failing = 3
        return (500, b"") if self.failing in (1, 2) else super().guarded(environ)


class StopsWorking(Counting):
    """Accepts everything and does nothing once it is stopped."""

    stopped = False

    def guarded(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        return (200, b"queued") if self.stopped else super().guarded(environ)
