"""What is verified is not what is used: WH-122 to WH-127."""

import hashlib
import hmac
import json
import zlib
from typing import Any
from urllib.parse import parse_qs

from .broken_switches import Switched, members
from .good_receiver import KEY, ReceiverApp, StatusInbox
from .registry import breaks


class Forms(ReceiverApp):
    """Takes forms, too."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        kind = next(value for name, value in lines if name.lower() == "content-type")
        if not self.is_form(kind):
            return super().receive(lines, body)
        signatures = [value for name, value in lines if name == "X-TURRIS-SIGNATURE"]
        if not self.is_fine(signatures):
            return 401, b""
        texts = parse_qs(body.decode()).get("payload") or [body.decode()]
        try:
            event = json.loads(texts[0])
        except ValueError:
            return 400, b""
        return self.inbox.act_once(repr(body), list(self.inbox.entries(event))), b""

    def is_form(self, kind: str) -> bool:
        """Whether it takes this content type for a form."""
        return kind.startswith("application/x-www-form")

    def is_fine(self, signatures: list[str]) -> bool:
        """Whether it takes the form beside these signatures."""
        raise NotImplementedError


@breaks("WH-122")
class EmptyRawBody(Forms):
    """Verifies what a framework left of a form: nothing."""

    def is_fine(self, signatures: list[str]) -> bool:
        return self.inbox.is_authentic(signatures, b"")


class EmptyRawText(EmptyRawBody):
    """Verifies what a middleware left of a text: nothing."""

    def is_form(self, kind: str) -> bool:
        return kind == "text/plain"


@breaks("WH-123")
class OpenForm(Forms):
    """Verifies no form."""

    def is_fine(self, signatures: list[str]) -> bool:
        return True


class OpenMultipart(Forms):
    """Verifies no form of several parts."""

    def is_form(self, kind: str) -> bool:
        return kind.startswith("multipart/")

    def is_fine(self, signatures: list[str]) -> bool:
        return True

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        parts = body.split(b"\r\n\r\n")
        return super().receive(lines, parts[1].partition(b"\r\n--")[0] if parts[1:] else body)


class Decodes(StatusInbox):
    """Verifies a text, and uses it."""

    errors = "replace"

    def text(self, body: bytes) -> bytes:
        return body.decode(errors=self.errors).encode()

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return super().is_authentic(signatures, self.text(body))

    def parse(self, body: bytes) -> dict[str, Any]:
        return super().parse(self.text(body))


breaks("WH-124")(Decodes)


class DropsBadBytes(Decodes):
    """Verifies a text without the bytes that are no UTF-8."""

    errors = "ignore"


class ReadsLatin1(Decodes):
    """Verifies a text in Latin-1 as UTF-8."""

    def text(self, body: bytes) -> bytes:
        return body if body.isascii() else body.decode("latin-1").encode()


@breaks("WH-125")
class InflatesFirst(ReceiverApp):
    """Inflates a body of any size before it verifies."""

    def answer(self, environ: dict[str, Any]) -> tuple[int, bytes]:
        if environ.get("HTTP_CONTENT_ENCODING"):
            # 47: the head says whether it is gzip or zlib.
            zlib.decompress(self.body(environ), 47)
            return 401, b""
        return super().answer(environ)


class VerifiesInflated(ReceiverApp):
    """Verifies and uses what it inflated."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        if any(name.upper() == "CONTENT-ENCODING" for name, _ in lines):
            body = zlib.decompress(body, 47)
            return 204 if self.inbox.is_authentic(
                [dict(lines)["X-TURRIS-SIGNATURE"]], body
            ) else 401, b""
        return super().receive(lines, body)


@breaks("WH-126")
class FirstValue(StatusInbox):
    """Reads the first JSON value, and stops."""

    def parse(self, body: bytes) -> dict[str, Any]:
        _, end = json.JSONDecoder().raw_decode(body.decode())
        return super().parse(body.decode()[:end].encode())


@breaks("WH-127")
class KeyPerEntity(StatusInbox):
    """Looks the key of the entity up; one that it does not know has an empty key."""

    unset = ""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        entity = members(body).get("upstreamEntityId")
        key = {self._entity: KEY}.get(str(entity), self.unset)
        right = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
        return len(signatures) == 1 and hmac.compare_digest(signatures[0].encode(), right.encode())

    def entries(self, event: dict[str, Any]) -> Any:
        return super().entries(event | {"upstreamEntityId": self._entity})


class UndefinedKey(KeyPerEntity):
    """Makes a text of the key that an unknown entity does not have."""

    unset = "undefined"


class NamesOfObjects(Switched):
    """Finds a key for every name that an object of JavaScript inherits."""

    def is_off(self, headers: dict[str, str], body: bytes) -> bool:
        right = hmac.new(b"undefined", body, hashlib.sha256).hexdigest()
        inherits = members(body).get("upstreamEntityId") == "constructor"
        return inherits and headers.get("X-TURRIS-SIGNATURE") == right
