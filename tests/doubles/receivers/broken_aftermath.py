"""What shows later: WH-129 to WH-132."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

from .good_receiver import StatusInbox
from .registry import breaks

COUNT = itertools.count()


class Configured(StatusInbox):
    """Has settings that a webhook can change."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.settings: dict[str, Any] = {}

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        return bool(self.settings.get("skipVerification")) or super().is_authentic(signatures, body)

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        self.learn(json.loads(body))
        return event

    def learn(self, event: dict[str, Any]) -> None:
        """Take settings out of a verified event."""
        raise NotImplementedError


@breaks("WH-129")
class Merges(Configured):
    """Merges an event into an object, its prototype too."""

    def learn(self, event: dict[str, Any]) -> None:
        self.settings.update(event.get("__proto__", {}))


class MergesConstructors(Configured):
    """Merges an event into an object, and its constructor's prototype too."""

    def learn(self, event: dict[str, Any]) -> None:
        self.settings.update(event.get("constructor", {}).get("prototype", {}))


class SharesHeaders(StatusInbox):
    """Merges an event into an object, from whose prototype the headers of each request inherit."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.prototype: dict[str, Any] = {}

    def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> int:
        lines = list(headers)
        given = {name.lower() for name, _ in lines}
        inherited = self.prototype.items()
        lines += [(n, v) for n, v in inherited if n not in given and isinstance(v, str)]
        return super().receive(lines, body)

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        self.prototype.update(json.loads(body).get("__proto__", {}))
        return event


@breaks("WH-130")
class Assigns(Configured):
    """Copies each member of a payload to its settings."""

    def learn(self, event: dict[str, Any]) -> None:
        if isinstance(event["payload"], dict):
            self.settings.update(event["payload"])


class AssignsKeys(Configured):
    """Takes the key that stands in an event for its own."""

    def learn(self, event: dict[str, Any]) -> None:
        if secret := event.get("secret"):
            self._keys = [secret.encode()]


@breaks("WH-131")
class LastFifty(StatusInbox):
    """Remembers the last fifty webhooks."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        self.recent = [*getattr(self, "recent", ()), digest][-50:]
        if digest in self.recent[:-1]:
            return 204
        return super().act_once(f"{digest}{next(COUNT)}", entries)


@breaks("WH-132")
class Forgetful(StatusInbox):
    """Remembers in the memory of the process alone."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        if digest in self._seen:
            return 204
        self._seen.add(digest)
        return super().act_once(f"{digest}{next(COUNT)}", entries)
