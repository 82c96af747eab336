"""Broken configuration of keys: WH-40 to WH-49, WH-60 to WH-64."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any, ClassVar

from .good_receiver import KEY, StatusInbox
from .registry import breaks


class KeyDecoded(StatusInbox):
    """A good receiver of a key that stands for bytes in base64."""

    def __init__(self, keys: Iterable[str], *rest: Any) -> None:
        super().__init__(keys, *rest)
        self._keys = [base64.b64decode(key) for key in self._keys]


def takes_also(*keys: bytes, base: type[StatusInbox] = StatusInbox) -> type[StatusInbox]:
    """An inbox that takes signatures of other keys too."""

    class Also(base):  # type: ignore[misc,valid-type]  # a class that is chosen at run time
        """Takes signatures of other keys too."""

        def is_authentic(self, signatures: list[str], body: bytes) -> bool:
            return super().is_authentic(signatures, body) or any(
                signatures == [hmac.new(key, body, hashlib.sha256).hexdigest()] for key in keys
            )

    return Also


class Careless(StatusInbox):
    """Takes keys as they come."""

    def __init__(self, keys: Iterable[str], *rest: Any) -> None:
        super().__init__([KEY], *rest)
        self._keys = [self.read(key).encode() for key in keys]

    def read(self, key: str) -> str:
        return key.strip()


breaks("WH-40", "WH-48")(Careless)
breaks("WH-41")(takes_also(b"", b"None"))
breaks("WH-42")(takes_also(b"changeme"))
breaks("WH-43")(takes_also(b"turris_production_whsec_of_the_other"))
breaks("WH-45")(takes_also(b"turris_sandbox_whsec_of_another_customer"))
breaks("WH-46")(takes_also(base64.b64encode(KEY.encode())))
breaks("WH-49")(StatusInbox)


@breaks("WH-44")
class PublicKey(StatusInbox):
    """Takes a signature of the client id, which the test puts here."""

    client_id: ClassVar[str] = ""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        forged = hmac.new(self.client_id.encode(), body, hashlib.sha256).hexdigest()
        return super().is_authentic(signatures, body) or signatures == [forged]


@breaks("WH-47")
class KeepsTheNewline(Careless):
    """Takes the newline for a part of the key."""

    def read(self, key: str) -> str:
        return key


@breaks("WH-60", "WH-62")
class OneKey(StatusInbox):
    """Knows the first key only."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        self._keys = self._keys[:1]
        return super().is_authentic(signatures, body)


@breaks("WH-61")
class KeepsOldKeys(StatusInbox):
    """Remembers every key that there ever was."""

    kept: ClassVar[list[bytes]] = []

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return super().is_authentic(signatures, body)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.kept.extend(self._keys)
        self._keys = list(self.kept)


@breaks("WH-63")
class LastKey(StatusInbox):
    """Forgets its verdict on the first key."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        self._keys = self._keys[-1:]
        return super().is_authentic(signatures, body)


@breaks("WH-64")
class RemembersVerdicts(StatusInbox):
    """Caches verdicts by body."""

    verdicts: ClassVar[dict[bytes, bool]] = {}

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return self.verdicts.setdefault(body, super().is_authentic(signatures, body))
