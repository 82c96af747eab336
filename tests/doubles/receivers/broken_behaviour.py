"""Broken handling of repetition, order, failure and origin: WH-80 to WH-111."""

import datetime as dt
import itertools
import json
import select
from typing import Any

from .good_receiver import ALLOWED, ReceiverApp, StatusInbox, slow_down
from .registry import breaks

COUNT = itertools.count()


@breaks("WH-84", "WH-95")
class Forgets(StatusInbox):
    """Acts each time."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        return super().act_once(f"{digest}{next(COUNT)}", entries)


@breaks("WH-85")
class LooksThenActs(StatusInbox):
    """Looks, waits, and acts."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        if digest in self._seen:
            return 204
        select.select([], [], [], 0.05)  # time travel does not move it
        self._seen.add(digest)
        for name, entry in entries:
            self._act(f"{next(COUNT)}/{digest}/{name}", entry)
        return 204


@breaks("WH-86")
class ForgetsAfterADay(StatusInbox):
    """Keeps digests for a day."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        today = dt.datetime.now(dt.UTC).date()  # noqa: TID251 - a receiver has its own clock
        return super().act_once(f"{digest}{today}", entries)


@breaks("WH-87", "WH-88")
class KeysOnTheId(ReceiverApp):
    """Keys on an unsigned delivery id."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        ids = [value for name, value in lines if name == "X-REQUEST-ID"]
        original = self.inbox.act_once
        self.inbox.act_once = lambda digest, entries: original(f"{digest}{ids}", entries)  # type: ignore[method-assign]  # for one call
        try:
            return super().receive(lines, body)
        finally:
            self.inbox.act_once = original  # type: ignore[method-assign]  # and back


@breaks("WH-89")
class TakesEveryType(StatusInbox):
    """Acts on what this endpoint is not for."""


@breaks("WH-90")
class KeepsTheClaim(StatusInbox):
    """Marks as seen before the work, for good."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        status = super().act_once(digest, entries)
        self._seen.add(digest)
        return status


@breaks("WH-91", "WH-110")
class Believes(StatusInbox):
    """Stores what a webhook says."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        status = super().act_once(digest, entries)
        for _, entry in entries:
            if "products" in entry:
                states = entry["products"][0]["states"]
                self.backend.stored = states[0].get("complianceStatus", "")
        return status


@breaks("WH-111")
class BelievesOnce(Believes):
    """Stores what a webhook says, once for the same bytes."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        return 204 if digest in self._seen else super().act_once(digest, entries)


@breaks("WH-103")
class SyncResets(StatusInbox):
    """Forgets the status when a sync ends."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        status = super().act_once(digest, entries)
        if any("synchronizationStatus" in entry for _, entry in entries):
            self.backend.stored = "PENDING"
        return status


@breaks("WH-107")
class Toggles(StatusInbox):
    """Takes each webhook for one change."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        status = super().act_once(digest, entries)
        self.backend.stored = "NOT_COMPLIANT"
        return status


@breaks("WH-92")
class KeysOnTheEntity(StatusInbox):
    """Keys on an id in the payload."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        return super().act_once(entries[0][0] if entries else digest, entries)


@breaks("WH-93")
class NewRowEachTime(StatusInbox):
    """Inserts under a key of its own."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        fresh = [(f"{name}{next(COUNT)}", entry) for name, entry in entries]
        return super().act_once(digest, fresh)


@breaks("WH-94")
class WorksFirst(StatusInbox):
    """Works before it answers."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        slow_down(self.backend)
        return super().act_once(digest, entries)


@breaks("WH-80", "WH-81")
class BelievesHeaders(ReceiverApp):
    """Takes the address from headers that anyone can write."""

    allowlist = True

    def is_allowed(self, environ: dict[str, Any]) -> bool:
        claimed = (
            environ.get(f"HTTP_{name}", "")
            for name in ("X_FORWARDED_FOR", "X_REAL_IP", "FORWARDED")
        )
        return super().is_allowed(environ) or any(ALLOWED in value for value in claimed)


@breaks("WH-82")
class AddressIsEnough(ReceiverApp):
    """Verifies strangers only."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        return 204, b""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        if self.is_allowed(environ):
            self.backend.act(f"unverified {next(COUNT)}", {})
            return 204, b""
        return self.inbox.receive(self.lines(environ), self.body(environ)), b""


@breaks("WH-83")
class AddressAsText(ReceiverApp):
    """Compares addresses as texts."""

    allowlist = True

    def is_allowed(self, environ: dict[str, Any]) -> bool:
        return environ["REMOTE_ADDR"] in (ALLOWED, "127.0.0.1")


@breaks("WH-96")
class AnyMethod(ReceiverApp):
    """Takes every method."""

    def is_method(self, method: str) -> bool:
        return True


@breaks("WH-97")
class AnyType(StatusInbox):
    """Takes every type."""

    def is_json(self, lines: list[tuple[str, str]]) -> bool:
        return True


@breaks("WH-98")
class Alias(ReceiverApp):
    """Verifies one spelling of the path."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        if environ["PATH_INFO"] == "/webhooks/":
            return 204, b""
        return super().answer(environ)


breaks("WH-99")(StatusInbox)


class Leaks(ReceiverApp):
    """Tells in its answer why it refuses, stack trace and all."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        status, _ = super().receive(lines, body)
        return (
            status,
            b'Traceback (most recent call last):\n  File "/app.py"' if status != 204 else b"",
        )


class TellsMissingFromWrong(ReceiverApp):
    """Answers otherwise to a missing signature."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if not any(name == "X-TURRIS-SIGNATURE" for name, _ in lines):
            return 400, b"no signature"
        return super().receive(lines, body)


class ParsesFirst(ReceiverApp):
    """Parses before it verifies."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            return 400, b"no JSON"
        return super().receive(lines, body)


class Sickens(ReceiverApp):
    """Refuses everything after the first forgery."""

    sick = False

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        status, answer = (401, b"") if self.sick else super().receive(lines, body)
        self.sick = self.sick or status == 401
        return status, answer
