"""Broken for other types than the first: WH-112 to WH-116, WH-128, WH-145."""

import json
from typing import Any

from .good_receiver import ReceiverApp, StatusInbox
from .registry import breaks

STATUS = "_STATUS_CHANGE"


def kind_of(body: bytes) -> str:
    """The type that a body claims, whatever else it is."""
    try:
        kind = json.loads(body)["webhookType"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""
    return kind if isinstance(kind, str) else ""


@breaks("WH-112")
class VerifiesOneType(StatusInbox):
    """Verifies agreements, and none of the other events."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return STATUS in kind_of(body) or super().is_authentic(signatures, body)


class VerifiesIfThere(StatusInbox):
    """Verifies the signature of a sync only if there is one."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        bare = kind_of(body).startswith("ENTITY") and not "".join(signatures)
        return bare or super().is_authentic(signatures, body)


class Unwary(StatusInbox):
    """Uses the payload of status events before it looks at it."""

    def entries(self, event: dict[str, Any]) -> Any:
        if STATUS in event["webhookType"] and not self.is_usable(event["payload"]):
            raise NotImplementedError
        return super().entries(event)

    def is_usable(self, payload: Any) -> bool:
        """Whether it does not stumble over this payload."""
        raise NotImplementedError


@breaks("WH-113")
class FirstOfEmpty(Unwary):
    """Takes the first entry, without a look whether there is one."""

    def is_usable(self, payload: Any) -> bool:
        return bool(payload != [])


class FirstState(Unwary):
    """Takes the first state of the first product, without a look whether there is one."""

    def is_usable(self, payload: Any) -> bool:
        entries = [entry for entry in payload if isinstance(entry, dict)]
        return all(entry.get("products", [1]) != [] for entry in entries)


@breaks("WH-114")
class NeedsName(Unwary):
    """Stumbles where legalName is missing."""

    def is_usable(self, payload: Any) -> bool:
        return not isinstance(payload, list) or all(
            "legalName" in entry for entry in payload if isinstance(entry, dict) and entry
        )


@breaks("WH-115")
class UpperCases(Unwary):
    """Stumbles where legalName is not a text."""

    def is_usable(self, payload: Any) -> bool:
        return not isinstance(payload, list) or all(
            isinstance(entry.get("legalName", ""), str)
            for entry in payload
            if isinstance(entry, dict)
        )


@breaks("WH-116")
class AsciiOnly(StatusInbox):
    """Verifies the text of other events than agreements in ASCII."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        if not kind_of(body).startswith("PRODUCER"):
            body = body.decode(errors="replace").encode("ascii", "replace")
        return super().is_authentic(signatures, body)


@breaks("WH-145")
class ForgetsAgencies(StatusInbox):
    """Acknowledges the status of agencies, and drops it."""

    def entries(self, event: dict[str, Any]) -> Any:
        return () if event["webhookType"].startswith("DOWNSTREAM") else super().entries(event)


@breaks("WH-128")
class SmallLimit(ReceiverApp):
    """Refuses what is larger than 100 kB with 400."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        return (400, b"") if len(body) > 100_000 else super().receive(lines, body)


class DropsTheRest(StatusInbox):
    """Accepts a batch of more than a hundred, and drops it."""

    def entries(self, event: dict[str, Any]) -> Any:
        return () if len(event["payload"]) > 100 else super().entries(event)


class FirstEntry(StatusInbox):
    """Shows the first entry of a batch alone."""

    shows: int | None = 1

    def entries(self, event: dict[str, Any]) -> Any:
        entries = list(super().entries(event))
        self.backend.shown.extend(entry.get("legalName", "") for _, entry in entries[: self.shows])
        return entries


class EveryEntry(FirstEntry):
    """Shows every entry of a batch."""

    shows = None
