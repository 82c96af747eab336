"""Broken verification of signatures: WH-01 to WH-38."""

import base64
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qs

from .good_receiver import ReceiverApp, StatusInbox
from .registry import breaks


def right(inbox: StatusInbox, body: bytes) -> str:
    """The expected signature in hexadecimal."""
    return hmac.new(inbox._keys[0], body, hashlib.sha256).hexdigest()


class Lenient(StatusInbox):
    """Also takes what ``also`` says, given one header value."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        if super().is_authentic(signatures, body):
            return True
        return len(signatures) == 1 and self.also(signatures[0], body)

    def also(self, given: str, body: bytes) -> bool:
        raise NotImplementedError


@breaks("WH-01")
class RefusesAll(StatusInbox):
    """Takes nothing."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return False


@breaks("WH-02")
class NothingToCheck(StatusInbox):
    """Verifies only what is signed."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return not signatures or super().is_authentic(signatures, body)


@breaks("WH-03")
class EmptyIsNothing(Lenient):
    """Takes an empty value."""

    def also(self, given: str, body: bytes) -> bool:
        return given == ""


@breaks("WH-04")
class BlankIsNothing(Lenient):
    """Takes a blank value."""

    def also(self, given: str, body: bytes) -> bool:
        return given.isspace()


@breaks("WH-05")
class MostOfIt(Lenient):
    """Compares all but the end."""

    def also(self, given: str, body: bytes) -> bool:
        return len(given) == 64 and given[:60] == right(self, body)[:60]


@breaks("WH-06")
class ShorterLength(Lenient):
    """Compares over the length that was given."""

    def also(self, given: str, body: bytes) -> bool:
        return bool(given.strip()) and right(self, body).startswith(given)


@breaks("WH-07")
class AfterThePrefix(Lenient):
    """Compares what is left after the prefix over its own length."""

    def also(self, given: str, body: bytes) -> bool:
        return right(self, body).startswith(given.rpartition("=")[2]) and "=" in given


@breaks("WH-08")
class OnlyTheBeginning(Lenient):
    """Compares as much as it expects."""

    def also(self, given: str, body: bytes) -> bool:
        return given.startswith(right(self, body))


@breaks("WH-09", "WH-10", "WH-13", "WH-14")
class Decodes(Lenient):
    """Decodes hexadecimal digits before it compares."""

    def also(self, given: str, body: bytes) -> bool:
        return bytes.fromhex(given) == bytes.fromhex(right(self, body))


@breaks("WH-11", "WH-12")
class ComparesTexts(StatusInbox):
    """Compares texts, which must be ASCII."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return len(signatures) == 1 and hmac.compare_digest(signatures[0], right(self, body))


@breaks("WH-15")
class EitherEncoding(Lenient):
    """Tries both encodings."""

    def also(self, given: str, body: bytes) -> bool:
        return given == base64.b64encode(bytes.fromhex(right(self, body))).decode()


class Base64(StatusInbox):
    """A good receiver of base64 signatures."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        expected = base64.b64encode(bytes.fromhex(right(self, body)))
        given = signatures[0].encode() if signatures else b""
        return len(signatures) == 1 and hmac.compare_digest(given, expected)


class Base64App(ReceiverApp):
    """Its door."""

    inbox_class = Base64


class DecodesBase64(Base64):
    """Decodes before it compares, in some way."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        try:
            given = self.decoded(signatures[0])
        except (ValueError, IndexError):
            return False
        return given == bytes.fromhex(right(self, body))

    def decoded(self, text: str) -> bytes:
        return base64.b64decode(text)


@breaks("WH-16", base64=True)
class Pads(DecodesBase64):
    """Adds the padding that is missing."""

    def decoded(self, text: str) -> bytes:
        return base64.b64decode(text + "==")


@breaks("WH-17", base64=True)
class SkipsJunk(DecodesBase64):
    """Skips what is not in the alphabet."""


@breaks("WH-18", base64=True)
class Strict(DecodesBase64):
    """Decodes in strict mode, which looks good."""

    def decoded(self, text: str) -> bytes:
        return base64.b64decode(text, validate=True)


@breaks("WH-19", "WH-20")
class DropsThePrefix(Lenient):
    """Drops everything before an equals sign."""

    def also(self, given: str, body: bytes) -> bool:
        return given.rpartition("=")[2] == right(self, body)


@breaks("WH-21")
class SendersChoice(Lenient):
    """Lets the sender choose the algorithm."""

    def also(self, given: str, body: bytes) -> bool:
        return any(
            given.rpartition("=")[2] == hmac.new(self._keys[0], body, name).hexdigest()
            for name in ("md5", "sha1", "sha512")
        )


@breaks("WH-22")
class PlainHash(Lenient):
    """Takes a hash of key and body."""

    def also(self, given: str, body: bytes) -> bool:
        return given == hashlib.sha256(self._keys[0] + body).hexdigest()


@breaks("WH-23")
class Token(Lenient):
    """Takes the key for a token."""

    def also(self, given: str, body: bytes) -> bool:
        return given.encode() == self._keys[0]


@breaks("WH-24")
class Searches(Lenient):
    """Looks for the signature in a list."""

    def also(self, given: str, body: bytes) -> bool:
        return right(self, body) in given.replace(",", " ").split()


@breaks("WH-25")
class ListsAreFine(Lenient):
    """Takes a list without a look at its parts."""

    def also(self, given: str, body: bytes) -> bool:
        return "," in given


@breaks("WH-26")
class Laborious(Lenient):
    """Works for each part of a list."""

    def also(self, given: str, body: bytes) -> bool:
        if given.count(",") > 10_000:
            time.sleep(2.1)
        return False


@breaks("WH-27")
class Stumbles(Lenient):
    """Expects a name and a value."""

    def also(self, given: str, body: bytes) -> bool:
        _name, value = given.split("=") if "=" in given else given.split(",")
        return value == right(self, body) and False


@breaks("WH-28")
class FirstLine(Lenient):
    """Takes the first line."""

    def also(self, given: str, body: bytes) -> bool:
        return given.split(",", maxsplit=1)[0].strip() == right(self, body)


@breaks("WH-29")
class LastLine(Lenient):
    """Takes the last line."""

    def also(self, given: str, body: bytes) -> bool:
        return given.rsplit(",", maxsplit=1)[-1].strip() == right(self, body)


@breaks("WH-37")
class LooksElsewhere(ReceiverApp):
    """Takes the signature from the query too."""

    def lines(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        found = super().lines(environ)
        query = parse_qs(environ["QUERY_STRING"]).get("signature", [])
        return found + [("X-Turris-Signature", value) for value in query]


@breaks("WH-38")
class TrustsProxies(ReceiverApp):
    """Takes what a proxy says that the header was."""

    def lines(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        return [
            (name.replace("X-FORWARDED-TURRIS", "X-TURRIS"), value)
            for name, value in super().lines(environ)
        ]


class ComparesByEquals(StatusInbox):
    """Right, but not in constant time."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return len(signatures) == 1 and signatures[0].strip() == right(self, body)


class ByEqualsApp(ReceiverApp):
    """Its door."""

    inbox_class = ComparesByEquals
