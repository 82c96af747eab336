"""What a request claims, and what two webhooks have in common: WH-146 to WH-155, WH-158."""

import hashlib
import hmac
import itertools
import json
import urllib.request
from typing import Any
from urllib.parse import parse_qs

from .broken_switches import Switched
from .good_receiver import ReceiverApp, StatusInbox
from .registry import breaks

COUNT = itertools.count()


class OffByRequest(Switched):
    """Verifies unless something other than headers and body says that it need not."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        self.environ = environ
        return super().answer(environ)


@breaks("WH-146")
class DebugParameter(OffByRequest):
    """Verifies nothing that has ?debug."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return "debug" in parse_qs(self.environ["QUERY_STRING"], keep_blank_values=True)


class Mode(OffByRequest):
    """Verifies nothing that has ?mode=test."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return parse_qs(self.environ["QUERY_STRING"]).get("mode") == ["test"]


@breaks("WH-147")
class DevelopersHost(OffByRequest):
    """Verifies nothing that was asked of localhost, but by its own tests."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("HOST", "").startswith("localhost:3000")


@breaks("WH-148")
class Overridden(OffByRequest):
    """Verifies POST alone, and lets a header say which method it is."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return headers.get("X-HTTP-METHOD-OVERRIDE", "POST") != "POST"


class OverriddenByQuery(OffByRequest):
    """Verifies POST alone, and lets the query say which method it is."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        return "_method=" in self.environ["QUERY_STRING"]


class AsksHost(ReceiverApp):
    """Asks itself for a page, at the address that a header names."""

    header = "HTTP_HOST"

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        host = environ.get(self.header, "")
        if host.startswith("127.0.0.1:"):
            urllib.request.urlopen(f"http://{host}/health").close()
        return super().answer(environ)


@breaks("WH-149")
class AsksForwardedHost(AsksHost):
    """As the one above, for the host that a proxy names."""

    header = "HTTP_X_FORWARDED_HOST"


@breaks("WH-150")
class KeyByName(Switched):
    """Takes an empty key for a name that it does not know."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        right = hmac.new(b"", body, hashlib.sha256).hexdigest()
        return "X-KEY-ID" in headers and headers.get("X-TURRIS-SIGNATURE") == right


@breaks("WH-151")
class AnyTenant(ReceiverApp):
    """Has a key for one tenant, and none for all others."""

    def is_route(self, path: str) -> bool:
        if path != "/webhooks":
            self.inbox._keys = [b""]
        return True


@breaks("WH-152")
class HoldsEntity(StatusInbox):
    """Looks whether its own entity is in there."""

    def entries(self, event: dict[str, Any]) -> Any:
        own = self._entity in event["upstreamEntityId"]
        return super().entries(event | {"upstreamEntityId": self._entity} if own else event)


class Remembers(StatusInbox):
    """Acts unless it remembers something about the webhook."""

    def receive(self, headers: Any, body: bytes) -> int:
        self.headers = {name.lower(): value for name, value in headers}
        self.raw = body
        return super().receive(headers, body)

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        identity = self.identity()
        if identity in self._seen:
            return 204
        self._seen.add(identity)
        return super().act_once(f"{digest}{next(COUNT)}", entries)

    def identity(self) -> str:
        """What makes two webhooks one."""
        raise NotImplementedError


@breaks("WH-153")
class SignatureIsIdentity(Remembers):
    """Remembers the text of the signature, and compares without regard to case."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return super().is_authentic([text.lower() for text in signatures], body)

    def identity(self) -> str:
        return str(self.headers["x-turris-signature"])


@breaks("WH-154")
class FoldsCase(Remembers):
    """Remembers the body without regard to case."""

    def identity(self) -> str:
        return self.raw.decode().lower()


class CutsShort(Remembers):
    """Remembers the beginning of the body."""

    def identity(self) -> str:
        return f"{self.raw[:2_000]!r}{len(self.raw)}"


class Sorts(Remembers):
    """Remembers which characters there are."""

    def identity(self) -> str:
        return "".join(sorted(self.raw.decode()))


class AgentIsIdentity(Remembers):
    """Remembers the body together with who sent it."""

    def identity(self) -> str:
        return f"{self.headers.get('user-agent')}{self.raw!r}"


@breaks("WH-155")
class ShowsEvents(ReceiverApp):
    """Lists what it stored to anyone who asks."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return 200, json.dumps(list(self.backend.rows.values())).encode()
        return super().answer(environ)


@breaks("WH-158")
class SuccessAlone(StatusInbox):
    """Refuses a synchronization that did not end in success."""

    def entries(self, event: dict[str, Any]) -> Any:
        payload = event["payload"]
        told = payload.get("synchronizationStatus") if isinstance(payload, dict) else None
        if told not in (None, "success"):
            raise ValueError("synchronizationStatus")
        return super().entries(event)
