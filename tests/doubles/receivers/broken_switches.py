"""Verification that can be turned off by whoever sends: WH-117 to WH-121."""

import json
from typing import Any

from .good_receiver import ReceiverApp
from .registry import breaks


class Switched(ReceiverApp):
    """Verifies unless the request says that it need not."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        given = {name.upper(): value for name, value in lines}
        if not self.is_off(given, body):
            return super().receive(lines, body)
        try:
            event = json.loads(body)
            entries = list(self.inbox.entries(event))
        except (ValueError, TypeError, LookupError, AttributeError):
            return 400, b""
        return self.inbox.act_once(repr(body), entries), b""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        """Whether verification is off for this request."""
        raise NotImplementedError


def members(body: bytes) -> dict[str, Any]:
    """The members of a body, if it has any."""
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


@breaks("WH-117")
class TestFlag(Switched):
    """Verifies no event that says that it is a test."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return members(body).get("test") is True


class DryRunText(Switched):
    """Verifies no event whose payload says that it is a dry run."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        payload = members(body).get("payload")
        return isinstance(payload, dict) and payload.get("dryRun") == "true"


class Environment(Switched):
    """Verifies no event of the sandbox."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return members(body).get("environment") == "sandbox"


class Ping(ReceiverApp):
    """Answers a ping before it verifies."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if members(body).get("webhookType") == "PING":
            return 200, b"pong"
        return super().receive(lines, body)


@breaks("WH-118")
class DebugHeader(Switched):
    """Verifies nothing that has X-Debug."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("X-DEBUG") == "1"


class KnownAgent(Switched):
    """Verifies nothing that says it comes from Turris."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("USER-AGENT", "").startswith("Turris-Webhooks/") and not headers.get(
            "X-TURRIS-SIGNATURE"
        )


@breaks("WH-119")
class AnyAuthorization(Switched):
    """Verifies nothing that has a bearer token, whatever it is."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("AUTHORIZATION", "").startswith("Bearer ")


class AnyKey(Switched):
    """Verifies nothing that has an API key, whatever it is."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return "X-API-KEY" in headers


@breaks("WH-120")
class InnerNetwork(Switched):
    """Verifies nothing that claims to come from the inner network."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("X-FORWARDED-FOR", "").startswith("10.")


class ForwardedLocalhost(Switched):
    """Verifies nothing that claims to come from this machine."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return "for=127.0.0.1" in headers.get("FORWARDED", "")


@breaks("WH-121")
class LeavesToAnother(Switched):
    """Takes another sender's header for a signature that is verified elsewhere."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return "STRIPE-SIGNATURE" in headers


class WeakerScheme(Switched):
    """Takes a value in an older form for what it need not verify."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("X-TURRIS-SIGNATURE", "").startswith("sha1=")
