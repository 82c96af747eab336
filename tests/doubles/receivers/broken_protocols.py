"""Receivers that speak other protocols too, to anyone: WH-142 to WH-144."""

import hashlib
import hmac
import urllib.request
from typing import Any
from urllib.parse import parse_qs

from .broken_switches import Switched, members
from .good_receiver import ReceiverApp
from .registry import breaks


@breaks("WH-142")
class KeyInAHeader(Switched):
    """Verifies with the key that a header names."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        key = headers.get("X-WEBHOOK-SECRET", "")
        right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return bool(key) and headers.get("X-TURRIS-SIGNATURE") == right


class KeyInTheBody(Switched):
    """Verifies with the key that the body names."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        key = members(body).get("secret") or ""
        right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return bool(key) and headers.get("X-TURRIS-SIGNATURE") == right


@breaks("WH-143")
class RepeatsTheChallenge(ReceiverApp):
    """Repeats the challenge of a subscription, as a framework answers texts: as HTML."""

    kind = "text/html"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        challenge = parse_qs(environ["QUERY_STRING"]).get("hub.challenge")
        if environ["REQUEST_METHOD"] == "GET" and challenge:
            start_response("200 x", [("Content-Type", self.kind)])
            return [challenge[0].encode()]
        return super().__call__(environ, start_response)


class RepeatsItAsText(RepeatsTheChallenge):
    """Repeats the challenge as text."""

    kind = "text/plain"


class ShowsTheSignature(ReceiverApp):
    """Repeats the signature that it refuses, as HTML."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        status, _ = self.answer(environ)
        start_response(f"{status} x", [("Content-Type", "text/html")])
        given = environ.get("HTTP_X_TURRIS_SIGNATURE", "")
        return [f"<p>wrong: {given}</p>".encode("latin-1")] if status == 401 else [b""]


@breaks("WH-144")
class Confirms(ReceiverApp):
    """Confirms every subscription before it verifies."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        event = members(body)
        if event.get("Type") == "SubscriptionConfirmation":
            urllib.request.urlopen(event["SubscribeURL"]).close()
        return super().receive(lines, body)
