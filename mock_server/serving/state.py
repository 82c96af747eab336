"""Where the state of ``turris-sandbox serve`` comes from, and where it stays."""

from collections.abc import Callable
from pathlib import Path

from mock_server.control.tenants import DEFAULT
from mock_server.shell.mistakes import fail
from mock_server.shell.printing import say
from mock_server.store.errors import StoreError
from mock_server.store.store import Store
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.snapshots.errors import SnapshotError
from pytest_turris.core.text.printable import printable
from pytest_turris.core.worlds import World
from pytest_turris.process.reading.input_file import read_input
from pytest_turris.process.reading.user_documents import DocumentError, text_of_user

_LONGEST = 500


def read_world(path: Path) -> World:
    """Return what the file of ``--load`` holds."""
    try:
        return World.read(text_of_user(read_input(path)).encode())
    except OSError as error:
        fail(f"--load {path}: {error.strerror or error}")
    except (DocumentError, SnapshotError) as error:
        fail(f"--load {path}: {error}")


def load_world(sandbox: Sandbox, world: World, path: Path) -> None:
    """Load the file of ``--load`` into a sandbox."""
    try:
        world.load_into(sandbox)
        if world.about:
            say(f"# {path}: {printable(world.about[:_LONGEST])}", err=True)
    except SnapshotError as error:
        fail(f"--load {path}: {error}")


def open_store(place: str, log: Callable[[str], object]) -> Store:
    """Open the file or the database of ``--store``."""
    try:
        return Store.open(place, log)
    except StoreError as error:
        fail(f"--store: {error}")


def close_store(store: Store, log: Callable[[str], object]) -> None:
    """Write what waits, and close the store; report what cannot be written."""
    try:
        store.close()
    except StoreError as error:
        log(str(error))


def keep(store: Store, sandbox: Sandbox, *, given: dict[str, bool]) -> None:
    """Keep the default sandbox, and restore what the store has.

    Args:
        store: The store.
        sandbox: The sandbox.
        given: The options of the command line that only a new store follows, and whether each is
            there.
    """
    named = sorted(flag for flag, is_given in given.items() if is_given)
    is_new = DEFAULT not in store.tenants()
    if not is_new and "--load" in named:
        store.close()
        fail("--load: the store has a state already; give another file to --store")
    before = sandbox.client
    try:
        store.attach(sandbox, DEFAULT)
    except (StoreError, SnapshotError) as error:
        store.close()
        fail(f"--store: {error}")
    if named and sandbox.client != before:
        say(
            f"# {', '.join(named)}: not used, as the store has a state and credentials already",
            err=True,
        )
