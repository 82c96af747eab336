"""Texts taken for code: WH-133 to WH-140."""

import contextlib
import json
import re
import sqlite3
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .good_receiver import ReceiverApp, StatusInbox
from .registry import breaks


class Careful(StatusInbox):
    """A good receiver with a log, pages and requests to the API."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        self.use(event)
        return event

    def use(self, event: dict[str, Any]) -> None:
        """Log, show and look up what came."""
        self.backend.log.append(json.dumps(event))
        self.backend.shown.append(escaped(json.dumps(event)))
        for entry in entries(event):
            path = quote(str(entry.get("downstreamEntityAssociationId")), safe="")
            self.backend.paths.append(f"/v1/agencies/{path}")


class CarefulApp(ReceiverApp):
    """A good door to a receiver that logs, shows and looks up what came."""

    inbox_class = Careful


def escaped(text: str) -> str:
    """The text as HTML shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def entries(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries of an event, or its payload."""
    payload = event["payload"]
    made = payload if isinstance(payload, list) else [payload]
    return [entry for entry in made if isinstance(entry, dict)]


def names(event: dict[str, Any]) -> list[str]:
    """The names of branches in an event."""
    return [str(entry.get("branchName")) for entry in entries(event)]


@breaks("WH-133")
class QueryOfTexts(StatusInbox):
    """Makes a query of texts, in a table of two rows."""

    def act_once(self, digest: str, entries: list[tuple[str, dict[str, Any]]]) -> int:
        with contextlib.closing(sqlite3.connect(":memory:")) as store:
            store.executescript(
                "create table agencies(id, name); insert into agencies values ('a', ''), ('b', '')"
            )
            for name, entry in entries:
                id_, branch = entry.get("downstreamEntityAssociationId"), entry.get("branchName")
                store.execute("insert into agencies values (?, ?)", (str(id_), ""))
                changed = self.change(store, str(id_), str(branch))
                for number in range(changed):
                    self._act(f"{digest}/{name}/{number}", entry)
        return 204

    def change(self, store: sqlite3.Connection, id_: str, name: str) -> int:
        """Rename an agency; the number of rows that were changed."""
        with contextlib.suppress(sqlite3.Error):
            done = store.execute(f"update agencies set name = '{name}' where id = '{id_}'")  # noqa: S608 - that is what is broken
            return done.rowcount
        return 0


class QueryOfIds(QueryOfTexts):
    """Makes a query of ids; names are parameters."""

    def change(self, store: sqlite3.Connection, id_: str, name: str) -> int:
        with contextlib.suppress(sqlite3.Error):
            done = store.execute(f"update agencies set name = ? where id = '{id_}'", (name,))  # noqa: S608 - that is what is broken
            return done.rowcount
        return 0


@breaks("WH-134")
class LogsLines(Careful):
    """Writes names into its log as they are."""

    def use(self, event: dict[str, Any]) -> None:
        self.backend.log.extend(names(event))


class LogsRefused(StatusInbox):
    """Writes the body of what it refuses into its log."""

    def is_authentic(self, signatures: list[str], body: bytes) -> bool:
        fine = super().is_authentic(signatures, body)
        if not fine:
            self.backend.log.append(f"bad signature: {body.decode(errors='replace')}")
        return fine


@breaks("WH-135")
class MarksSafe(Careful):
    """Shows names as markup."""

    def use(self, event: dict[str, Any]) -> None:
        self.backend.shown.extend(names(event))


@breaks("WH-136")
class Computes(Careful):
    """Takes names for templates."""

    def use(self, event: dict[str, Any]) -> None:
        for name in names(event):
            done = re.sub(r"\{\{(\d+)\+(\d+)\}\}", lambda two: str(int(two[1]) + int(two[2])), name)
            self.backend.shown.append(escaped(done))


@breaks("WH-137")
class NamesFiles(Careful):
    """Writes a file with the name of a branch."""

    def use(self, event: dict[str, Any]) -> None:
        for name in names(event):
            with contextlib.suppress(OSError, ValueError):
                (Path("/nonexistent") / name).write_text("x")


@breaks("WH-138")
class RunsCommands(Careful):
    """Greets each branch by a command line."""

    def use(self, event: dict[str, Any]) -> None:
        for name in names(event):
            with contextlib.suppress(ValueError):
                subprocess.run(f"echo {name}", shell=True, check=False, capture_output=True)  # noqa: S602 - that is what is broken


@breaks("WH-139")
class PathsOfIds(Careful):
    """Puts an id into a path as it is."""

    def use(self, event: dict[str, Any]) -> None:
        for entry in entries(event):
            self.backend.paths.append(f"/v1/agencies/{entry.get('downstreamEntityAssociationId')}")


@breaks("WH-140")
class Fetches(Careful):
    """Fetches the logo that an event names."""

    member = "logoUrl"

    def use(self, event: dict[str, Any]) -> None:
        for url in (event.get(self.member), *(entry.get(self.member) for entry in entries(event))):
            if isinstance(url, str) and url.startswith("http"):
                urllib.request.urlopen(url).close()


class FetchesNested(Careful):
    """Fetches the documents that an event lists."""

    def use(self, event: dict[str, Any]) -> None:
        for document in event.get("documents", ()):
            urllib.request.urlopen(document["url"]).close()
