"""A sandbox as a file to share: its options, its moment and its state, without any secret.

Everyone who loads such a file gets credentials of their own. With ``with_secrets`` the file keeps
the old ones instead, and is as secret as they are.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import from_json, to_json

from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.snapshots.models import check
from pytest_turris.core.snapshots.option_data import data_of, options_from
from pytest_turris.core.snapshots.secrets import reissued, without_secrets
from pytest_turris.core.snapshots.values import is_moment
from pytest_turris.core.snapshots.versions import migrated
from pytest_turris.core.text.redaction import redact_credentials

FORMAT = "turris-sandbox world"
_PIECE = 65_536
"""Characters that are searched at a time: no other thread runs during a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a file holds.

    Args:
        about: What it was made of, such as the id of a test; may be empty.
        at: The moment on the sandbox's clock; a sandbox that loads the file goes on from there.
        with_secrets: Whether credentials and tokens are in it.
        options: The options that are not at their defaults.
        state: The snapshot.
    """

    about: str
    at: dt.datetime
    with_secrets: bool
    options: Options
    state: dict[str, Any]

    @classmethod
    def of(cls, sandbox: Sandbox, *, about: str = "", with_secrets: bool = False) -> Self:
        """A sandbox as it is now, by default without its secrets."""
        with sandbox.lock:
            state, at = sandbox.snapshot(), sandbox.clock.now()
        return cls.at_moment(at, state, sandbox.options, about=about, with_secrets=with_secrets)

    @classmethod
    def at_moment(
        cls,
        at: dt.datetime,
        state: dict[str, Any],
        options: Options,
        *,
        about: str = "",
        with_secrets: bool = False,
    ) -> Self:
        """A snapshot with its moment and options, by default without its secrets."""
        return cls(
            about=about,
            at=at,
            with_secrets=with_secrets,
            options=options,
            state=state if with_secrets else without_secrets(state),
        )

    def to_json(self) -> str:
        """The text of a file."""
        document = {
            "format": FORMAT,
            "about": self.about,
            "at": self.at.isoformat(),
            "with_secrets": self.with_secrets,
            "options": data_of(self.options, with_secrets=self.with_secrets),
            "state": self.state,
        }
        text = to_json(document, indent=1).decode() + "\n"
        return text if self.with_secrets else "".join(map(redact_credentials, _pieces(text)))

    @classmethod
    def read(cls, content: bytes) -> Self:
        """The world in a file.

        Raises:
            SnapshotError: It is not such a file, of a newer version, or not whole.
        """
        try:
            document = from_json(content, allow_inf_nan=False)
        except ValueError as error:
            raise SnapshotError(f"not JSON: {error}") from None
        members = {"format", "about", "at", "with_secrets", "options", "state"}
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise SnapshotError(f"not a world: it has no member 'format' with {FORMAT!r}")
        if document.keys() != members:
            wrong = ", ".join(sorted(map(repr, document.keys() ^ members)))
            raise SnapshotError(f"not a whole world: missing or unknown: {wrong}")
        options, state = options_from(document["options"]), migrated(document["state"])
        check(state)
        about, at, with_secrets = document["about"], document["at"], document["with_secrets"]
        if not isinstance(at, str) or not is_moment(at):
            raise SnapshotError("not a whole world: 'at' is not a moment in ISO 8601 with its zone")
        if not isinstance(about, str) or not isinstance(with_secrets, bool):
            raise SnapshotError("not a whole world: 'about' or 'with_secrets' has no valid value")
        return cls(
            about=about,
            at=dt.datetime.fromisoformat(at),
            with_secrets=with_secrets,
            options=options,
            state=state,
        )

    def load_into(self, sandbox: Sandbox) -> None:
        """Load the file into a sandbox, at the moment of the file.

        It gets new credentials, unless the file has some. Its options stay as they are.

        Raises:
            SnapshotError: The state is not whole; nothing is changed.
        """
        with sandbox.lock:
            own = sandbox.snapshot()["randomness"]
            state = self.state if self.with_secrets else reissued(self.state, own, sandbox.options)
            offset = sandbox.clock.offset_at(self.at)
            offset_us = offset // dt.timedelta(microseconds=1)
            sandbox.restore(state | {"clock": {"offset_us": offset_us}})


def _pieces(text: str) -> Iterator[str]:
    """Whole lines of a text: no secret goes over the end of a line of JSON."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PIECE) + 1 or len(text)
        yield text[start:end]
        start = end
