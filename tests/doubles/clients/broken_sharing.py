"""What clients share or keep that they should not, and how they take errors: one bug in each."""

import json
import logging
import os
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any, ClassVar
from urllib.parse import urlsplit

from .broken_leaks import FollowsNext
from .client_steps import ApiError, ClientError, Send, Token, UnexpectedAnswerError
from .good_client import GoodClient


class SharesItsToken(GoodClient):
    """TC-56, TC-57: one token for all clients of the class."""

    shared: ClassVar[dict[str, Token]] = {}

    def ready(self) -> Token | None:
        """What any client got."""
        self.token = self.shared.get("token")
        return super().ready()

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """And share it."""
        self.shared["token"] = super().read_token(document, asked_at)
        return self.shared["token"]

    def forget(self, token: Token) -> None:
        """For all."""
        self.shared.pop("token", None)


class DropsAnyToken(GoodClient):
    """TC-58: a 401 clears the cache, whatever is in it."""

    def forget(self, token: Token) -> None:
        """Always."""
        self.token = None


class SendsItsSecret(GoodClient):
    """TC-59: the secret is a header of the session."""

    def authorization(self, token: Token) -> dict[str, str]:
        """With both."""
        more = {"x-client-secret": self.credentials()["clientSecret"]}
        return super().authorization(token) | more


class GivesUpForGood(GoodClient):
    """TC-60: after one refusal of the token endpoint nothing is tried again."""

    refused = False

    def renew(self) -> Any:
        """Unless it was refused once."""
        if self.refused:
            raise UnexpectedAnswerError("disabled")
        try:
            return (yield from super().renew())
        except ClientError as error:
            self.refused = isinstance(error, ApiError) and not error.transient
            raise


class DropsOnAnyError(GoodClient):
    """TC-61: every error clears the cache."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """To be safe."""
        try:
            return (yield from super().attempts(send, limit, hide))
        except ClientError:
            if not send.url.endswith("/jwt"):
                self.token = None
            raise


class TwoLayers(GoodClient):
    """TC-62: what retries is retried."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Three times three."""
        for _ in range(2):
            try:
                return (yield from super().attempts(send, limit, hide))
            except ClientError as error:
                if not error.transient or send.method != "GET":
                    raise
        return (yield from super().attempts(send, limit, hide))


class LogsPieces(GoodClient):
    """TC-63: enough of the token to find it again."""

    def note(self, send: Send, outcome: Any) -> None:
        """Its tail."""
        logging.getLogger("careless").info("...%s", send.headers.get("authorization", "")[-12:])


class UtcAsLocalTime(GoodClient):
    """TC-64: a naive UTC time is read as a local one."""

    def issued_at(self, asked_at: datetime) -> datetime:
        """As ``datetime.utcnow().timestamp()`` has it."""
        return datetime.fromtimestamp(asked_at.replace(tzinfo=None).timestamp(), UTC)


class NaiveLocalTime(GoodClient):
    """TC-64: the age is a difference of naive local times."""

    def is_valid(self, token: Token) -> bool:
        """By the clock on the wall."""
        return self.wall(self.now()) - self.wall(token.at) < token.lifetime

    def is_due(self, token: Token) -> bool:
        """As above."""
        age = self.wall(self.now()) - self.wall(token.at)
        return age > token.lifetime - min(self.buffer, token.lifetime / 2)

    def wall(self, moment: datetime) -> datetime:
        """Local time without its offset."""
        return moment.astimezone().replace(tzinfo=None)


class NaiveButWary(NaiveLocalTime):
    """TC-64: as before, but a token of the future is not believed."""

    def is_valid(self, token: Token) -> bool:
        """Not before it was requested, by the clock on the wall."""
        return self.wall(self.now()) >= self.wall(token.at) and super().is_valid(token)


class HostBySubstring(FollowsNext):
    """TC-65: a link is one's own if it contains the host."""

    def next_link(self, document: dict[str, Any]) -> str:
        """Any URL with the right host in it."""
        link = str(document.get("next") or "")
        return link if urlsplit(self.base_url).netloc in link else ""


class BlocksItsLoop(GoodClient):
    """TC-66: a pause of the sync client in a coroutine."""

    blocking = True


class SwallowsCancellation(GoodClient):
    """TC-67: every error, even a cancellation, gives an empty result."""

    swallows = True


class UsesUpItsBody(GoodClient):
    """TC-68: the body is a stream, which is empty the second time."""

    def attempts(self, send: Send, limit: int, hide: tuple[str, ...] = ()) -> Any:
        """Of what was read before, nothing is left."""
        key = send.headers.get("idempotency-key")
        if key and key == getattr(self, "read_key", None):
            send = replace(send, body=b"")
        self.read_key = key or getattr(self, "read_key", None)
        return (yield from super().attempts(send, limit, hide))


class OneLoop(GoodClient):
    """TC-69: locks and connections of the first event loop."""

    one_loop = True


class KeepsItsToken(GoodClient):
    """Correct: keeps its token in a file that is renamed, private, and may be damaged."""

    mode = 0o600

    def __init__(self) -> None:
        super().__init__()
        self.restore()

    @property
    def path(self) -> Path:
        """Where it keeps it."""
        return Path(gettempdir()) / f"client-{type(self).__name__}-{os.getpid()}.json"

    def restore(self) -> None:
        """The token of an earlier client with these credentials."""
        try:
            self.load()
        except (OSError, ValueError, LookupError):
            self.token = None

    def load(self) -> None:
        """Read it."""
        kept = json.loads(self.content())
        if kept["owner"] == self.credentials()["clientId"]:
            self.token = Token(kept["text"], datetime.fromisoformat(kept["at"]), timedelta(hours=1))

    def content(self) -> str:
        """As it was written."""
        return self.path.read_text()

    def read_token(self, document: Any, asked_at: datetime) -> Token:
        """And write it down."""
        token = super().read_token(document, asked_at)
        owner = self.credentials()["clientId"]
        kept = {"text": token.text, "at": token.at.isoformat(), "owner": owner}
        self.save(json.dumps(kept))
        return token

    def save(self, text: str) -> None:
        """Whole or not at all."""
        new = self.path.with_suffix(f".{id(self)}.new")
        new.touch(mode=self.mode)
        new.write_text(text)
        new.replace(self.path)


class RenamesPublicFile(KeepsItsToken):
    """TC-29: written under another name, with the default mode."""

    mode = 0o644


class PublicDatabase(KeepsItsToken):
    """TC-29: a database with the default mode."""

    def content(self) -> str:
        """The newest row."""
        with sqlite3.connect(self.path.with_suffix(".db")) as database:
            found = database.execute("SELECT text FROM tokens ORDER BY rowid DESC").fetchone()
        database.close()
        return str(found[0])

    def load(self) -> None:
        """Read it, if there is one."""
        try:
            super().load()
        except (sqlite3.Error, TypeError):
            self.token = None

    def save(self, text: str) -> None:
        """One more row."""
        with sqlite3.connect(self.path.with_suffix(".db")) as database:
            database.execute("CREATE TABLE IF NOT EXISTS tokens (text TEXT)")
            database.execute("INSERT INTO tokens VALUES (?)", (text,))
        database.close()


class WritesInPlace(KeepsItsToken):
    """Correct: its file may be found half written, and is then taken for none."""

    def save(self, text: str) -> None:
        """Over the old one."""
        self.path.touch(mode=self.mode)
        self.path.write_text(text)


class TrustsItsFile(WritesInPlace):
    """TC-70: a half-written file stops it."""

    def restore(self) -> None:
        """Unchecked."""
        if self.path.exists():
            self.load()
