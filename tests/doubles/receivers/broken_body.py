"""Broken handling of bodies and payloads: WH-50 to WH-79, but for what takes a socket."""

import gzip
import itertools
import json
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

from .good_receiver import ReceiverApp, StatusInbox
from .registry import breaks

COUNT = itertools.count()


@breaks("WH-50", "WH-51")
class FormOnly(StatusInbox):
    """Looks at the form of the signature only."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return len(signatures) == 1 and bool(re.fullmatch("[0-9a-f]{64}", signatures[0]))


class Rewrites(StatusInbox):
    """Verifies what it wrote itself."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        try:
            event = self.known(json.loads(body))
        except ValueError:
            return False
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        return super().is_authentic(signatures, text.encode())

    def known(self, event: Any) -> Any:
        return event


breaks("WH-53", "WH-54")(Rewrites)


@breaks("WH-52")
class RewritesKnown(Rewrites):
    """Verifies the members that it knows."""

    def known(self, event: Any) -> Any:
        names = ("webhookType", "upstreamEntityId", "payload")
        return {name: event[name] for name in names} if isinstance(event, dict) else event


class Clumsy(StatusInbox):
    """Parses outside of any try."""

    def receive(self, headers: Any, body: bytes) -> int:
        status = super().receive(headers, body)
        if status == 400:
            self.clumsily(body)
        return status

    def clumsily(self, body: bytes) -> None:
        raise NotImplementedError


@breaks("WH-55")
class LooksAtTheFirstByte(Clumsy):
    """Expects at least one byte."""

    def clumsily(self, body: bytes) -> None:
        _ = body[0]


class AsgiReceiverApp(ReceiverApp):
    """A good door that is an ASGI application."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # type: ignore[override]  # another protocol
        pieces, more = [], True
        while more:
            message = await receive()
            pieces.append(message.get("body", b""))
            more = message.get("more_body", False)
        lines = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        status = self.inbox.receive(lines, self.joined(pieces))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})

    def joined(self, pieces: list[bytes]) -> bytes:
        """The body of its pieces."""
        return b"".join(pieces)


@breaks("WH-57")
class JoinsTexts(AsgiReceiverApp):
    """Decodes each piece by itself."""

    def joined(self, pieces: list[bytes]) -> bytes:
        return "".join(piece.decode(errors="replace") for piece in pieces).encode()


@breaks("WH-58")
class DecodesBare(Clumsy):
    """Decodes outside of any try."""

    def clumsily(self, body: bytes) -> None:
        body.decode()


@breaks("WH-59")
class Guesses(StatusInbox):
    """Lets json guess the encoding."""

    def parse(self, body: bytes) -> dict[str, Any]:
        return super().parse(json.dumps(json.loads(body)).encode())


@breaks("WH-65")
class NoCompression(ReceiverApp):
    """Stumbles over compressed bodies."""

    def body(self, environ: dict[str, Any]) -> bytes:
        if "HTTP_CONTENT_ENCODING" in environ:
            raise RuntimeError("what is gzip?")
        return super().body(environ)


@breaks("WH-66")
class Inflates(StatusInbox):
    """Inflates without a limit."""

    def is_json(self, lines: list[tuple[str, str]]) -> bool:
        return True

    def parse(self, body: bytes) -> dict[str, Any]:
        return super().parse(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


@breaks("WH-67")
class NoLimit(ReceiverApp):
    """Reads all there is, and fails."""

    def body(self, environ: dict[str, Any]) -> bytes:
        body = super().body(environ)
        if len(body) > 4_000_000:
            raise MemoryError
        return body


@breaks("WH-70")
class LastMember(StatusInbox):
    """Takes the last of repeated members."""

    def parse(self, body: bytes) -> dict[str, Any]:
        return super().parse(json.dumps(json.loads(body)).encode())


@breaks("WH-71", "WH-109")
class KnownOnly(StatusInbox):
    """Refuses types that it does not know."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        if not event["webhookType"].endswith(("CHANGE", "EXECUTED", "SYNCHRONIZED")):
            raise ValueError("unknown")
        return event


@breaks("WH-72", "WH-102")
class TakesShapesForGranted(Clumsy):
    """Indexes without a look."""

    def clumsily(self, body: bytes) -> None:
        event = json.loads(body)
        for entry in event["payload"]:
            _ = entry["npn"]
        _ = event["payload"]["npn"]


@breaks("WH-73")
class FirstOfAll(StatusInbox):
    """Takes the first of a list."""

    def receive(self, headers: Any, body: bytes) -> int:
        status = super().receive(headers, body)
        if b'"payload":[]' in body:
            _ = json.loads(body)["payload"][0]
        return status


@breaks("WH-74")
class AnyEntity(StatusInbox):
    """Takes every customer's events."""

    def parse(self, body: bytes) -> dict[str, Any]:
        return super().parse(body) | {"upstreamEntityId": self._entity}


@breaks("WH-75")
class TrustsTheParser(Clumsy):
    """Does not expect the stack to end."""

    def clumsily(self, body: bytes) -> None:
        try:
            json.loads(body)
        except ValueError:
            return


@breaks("WH-76")
class OnlyDecodeErrors(Clumsy):
    """Expects JSONDecodeError and no other ValueError."""

    def clumsily(self, body: bytes) -> None:
        try:
            json.loads(body)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            return


@breaks("WH-77")
class LogsAsItIs(StatusInbox):
    """Prints a name as it came."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        print("note", event.get("note", "").encode(errors="replace").decode())
        return event


@breaks("WH-78")
class SetsAttributes(StatusInbox):
    """Makes attributes of members."""

    def receive(self, headers: Any, body: bytes) -> int:
        status = super().receive(headers, body)
        event = type("Event", (), {})()
        if status == 204:
            for name, value in json.loads(body).items():
                setattr(event, name, value)
        return status


@breaks("WH-79")
class Follows(StatusInbox):
    """Follows URLs."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        where = urlsplit(event.get("note", ""))
        if where.port:
            socket.create_connection((where.hostname or "", where.port)).close()
        return event


@breaks("WH-104")
class AnyId(StatusInbox):
    """Takes whatever id there is."""

    def name_of(self, entry: dict[str, Any], member: str) -> str:
        return str(entry.get(member, entry.get("entityId")) or "")


@breaks("WH-105")
class ForbidsMore(StatusInbox):
    """Refuses members that it does not know."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        if set(event) - {"webhookType", "upstreamEntityId", "payload"}:
            raise ValueError("unknown member")
        return event


@breaks("WH-106")
class AsksForAll(StatusInbox):
    """Asks for every optional member."""

    def name_of(self, entry: dict[str, Any], member: str) -> str:
        if "branchName" in entry and entry["producerCode"] is None:
            raise ValueError("no producer code")
        return super().name_of(entry, member)


@breaks("WH-100")
class OneByOne(StatusInbox):
    """Acts on entries until one is broken, again on each delivery."""

    def entries(self, event: dict[str, Any]) -> Any:
        for number, entry in enumerate(event["payload"] if self.is_list(event) else ()):
            self._act(f"{next(COUNT)}/{number}", entry)
            self.name_of(entry, "npn")
        return super().entries(event)

    def is_list(self, event: dict[str, Any]) -> bool:
        return isinstance(event["payload"], list)


@breaks("WH-101")
class EachEntry(StatusInbox):
    """Acts on each entry, whatever entity it names."""

    def entries(self, event: dict[str, Any]) -> Any:
        if isinstance(event["payload"], list):
            return ((str(number), entry) for number, entry in enumerate(event["payload"]))
        return super().entries(event)


@breaks("WH-108")
class AtOnce(ReceiverApp):
    """Works on a batch of any size before it answers."""

    def body(self, environ: dict[str, Any]) -> bytes:
        body = super().body(environ)
        if len(body) > 1_000_000:
            time.sleep(2.1)
        return body
