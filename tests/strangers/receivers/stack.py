"""How to start a receiver: a command, what it needs, and where its effects are."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
CORRECT = FOLDER / "correct"


@dataclass(frozen=True)
class Stack:
    """A correct receiver, in the folder ``correct/<name>``.

    The process gets ``PORT``, ``TURRIS_WEBHOOK_SECRET``, ``TURRIS_UPSTREAM_ENTITY_ID``,
    ``TURRIS_BASE_URL``, ``DATA_DIR``, ``DATABASE_PATH`` (a file of SQLite that need not exist) and
    ``INBOX_DIR`` (an empty folder), and runs in a copy of its folder.

    Args:
        name: The folder, unless ``folder`` says another.
        shows: What it is written with, for the table.
        language: Its language.
        source: The file that a bug changes.
        command: The words of the command; ``{port}``, ``{python}``, ``{folder}`` and ``{data}``
            are filled in.
        needs: Programs that have to be there.
        files: Files that have to be there besides.
        prepare: A command to run before.
        counted: The tables whose rows are effects; all of them by default.
        behind: The stack that is served by this one, as by a reverse proxy.
        with_folders: Other folders that are copied too, from ``correct``.
        unfinished: A query for how much there is to do, if it answers before it works.
        page: The path of a page that shows names.
        folder: Where it is, from here.
        path: The path of the webhooks.
    """

    name: str
    shows: str
    language: str
    source: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    behind: str = ""
    with_folders: tuple[str, ...] = ()
    unfinished: str = ""
    page: str = ""
    folder: str = ""
    path: str = "/webhooks/turris"

    @property
    def home(self) -> Path:
        """Where its files are."""
        return FOLDER / self.folder if self.folder else CORRECT / self.name

    @property
    def others(self) -> tuple[Path, ...]:
        """The folders that it imports from."""
        return tuple((CORRECT / name).resolve() for name in self.with_folders)
