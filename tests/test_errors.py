"""Every error that we raise on purpose has one root, a standard base, and a row in the docs."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import mock_server
import pytest_turris
from pytest_turris.core.errors import TurrisKitError, TurrisKitWarning

ROOT = Path(__file__).parents[1]
PACKAGES = (pytest_turris, mock_server)
PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text()

INTERNAL = {
    "TurrisError": "becomes an HTTP response, as its subclasses do",
    "ConnectionFailure": "each door turns it, and its subclasses, into its library's own error",
    "UnreadableFileError": "an upload's status or a 400 says so",
    "WorkbookError": "UnreadableFileError takes its place",
    "HeadTooLargeError": "becomes a 431",
    "UnreadBodyError": "becomes a 400",
    "_FullError": "becomes a 503",
    "OutputError": "the command line prints its text",
    "ControlTokenError": "the command line or pytest.UsageError prints its text",
    "NotApplicableError": "a check that does not apply becomes a skipped test",
    "ViolationError": "raised by a probe; becomes the verdict of a rule",
    "RunawayError": "stops a client that does not stop by itself; becomes a verdict",
    "RelayError": "pytest.fail shows its text",
    "ControlError": "becomes an HTTP response of the control API",
    "LimitedError": "becomes the verdict of an attack",
    "UnobservedError": "becomes the verdict of an attack",
    "OutOfTimeError": "becomes the verdict of an attack",
    "PayloadError": "the command line prints its text",
    "DocumentError": "the command line prints its text; DeclarationError takes its place",
    "StoreError": "the command line prints its text; becomes a 503 of the server",
    "HistoryError": "becomes an HTTP response of the control API",
    "StartError": "the command line prints its text",
    "DriftError": "the command line prints its text",
}
"""Exceptions that never reach a user's code, with what becomes of them."""

NO_ROOT = {"SleptTooLongError": "a BaseException, so that no client's 'except Exception' hides it"}
"""Public exceptions that cannot derive from the root."""

BARE = re.compile(r"raise (ValueError|TypeError|KeyError|LookupError|RuntimeError)\b")
BARE_ALLOWED = {
    "pytest_turris/conformance/servers/proxy.py": "caught by the proxy's own handler",
    "pytest_turris/core/entity/policy_upload/policy_file.py": "caught: the row is invalid",
    "pytest_turris/core/snapshots/state.py": "caught: SnapshotError takes its place",
    "pytest_turris/core/undo.py": "what copy and pickle expect of an object that refuses them",
    "pytest_turris/fixtures/shared_server.py": "pytest.fail shows its text",
    "pytest_turris/receivers/in_process/lifespan.py": "caught: an unknown scope",
}


def defined() -> dict[str, type[BaseException]]:
    """Every exception class that a module of the two packages defines."""
    found = {}
    for package in PACKAGES:
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if info.name.endswith("__main__"):
                continue
            module = importlib.import_module(info.name)
            for value in vars(module).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, BaseException)
                    and value.__module__ == info.name
                ):
                    assert value.__name__ not in found, f"two classes are called {value.__name__}"
                    found[value.__name__] = value
    return found


ALL = defined()


def is_internal(error: type[BaseException]) -> bool:
    """Whether the class, or a base of it, is on the list."""
    return any(base.__name__ in INTERNAL for base in error.__mro__)


PUBLIC = {name: error for name, error in ALL.items() if not is_internal(error)}


def test_all_are_found() -> None:
    """The walk sees both packages, and the lists name no class that is gone."""
    assert {"TurrisKitError", "OptionError", "RelayError", "ControlError"} <= set(ALL)
    assert set(INTERNAL) | set(NO_ROOT) <= set(ALL)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_errors_have_one_root(name: str) -> None:
    """Each derives from the root; warnings from the root of warnings too."""
    error = PUBLIC[name]
    assert issubclass(error, TurrisKitError) != (name in NO_ROOT)
    assert issubclass(error, Warning) == issubclass(error, TurrisKitWarning)


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_errors_are_importable_and_documented(name: str) -> None:
    """The package exports each; the page has its row, with its module and its standard base."""
    error = PUBLIC[name]
    assert getattr(pytest_turris, name) is error
    rows = re.findall(rf"^\| `{name}` \| `([\w.]+)` \| `([\w.]+)` \|", PAGE, re.MULTILINE)
    assert [module for module, _ in rows] == [error.__module__]
    standard = next(
        base for base in error.__mro__ if base.__module__ in ("builtins", "unittest.case")
    )
    assert rows[0][1].rpartition(".")[2] == standard.__name__


def test_the_page_lists_no_other_class() -> None:
    """A class that is gone, or internal, has no row."""
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(PUBLIC)


def test_internal_errors_stay_outside_the_root() -> None:
    """``except TurrisKitError`` never sees one of them."""
    assert [n for n, e in ALL.items() if is_internal(e) and issubclass(e, TurrisKitError)] == []


def test_no_bare_standard_error_is_raised() -> None:
    """A mistake of the user is a class of our own; the other raises are listed with the reason."""
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in Path(package.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Raise) and BARE.match(ast.unparse(node))
    }
    assert found == set(BARE_ALLOWED)


def test_an_unknown_record_reads_like_a_sentence() -> None:
    """A KeyError shows the ``repr`` of its message; ours shows the message."""
    assert str(pytest_turris.UnknownRecordError("no delivery with number 3")) == (
        "no delivery with number 3"
    )
