"""FE-01: credentials of Turris in a file, in any encoding."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from pytest_turris.audit.scans.files import ScannedFile
from pytest_turris.audit.scans.hit import Hit
from pytest_turris.core.levels import Level
from pytest_turris.core.text.spellings import spellings

_VARIABLES = {
    "TURRIS_CLIENT_ID": "the clientId",
    "TURRIS_CLIENT_SECRET": "the client secret",
    "TURRIS_WEBHOOK_SECRET": "the webhook secret",
    "TURRIS_RESTRICTED_TOKEN": "the restricted access token",
}
_MARK = "turris_sandbox_"
_MARKED = re.compile(rf"{_MARK}([a-z]+)_[A-Za-z0-9]{{4}}")
_SHORTEST = 12
_KINDS = {"client": "a clientId", "secret": "a client secret", "whsec": "a webhook secret"}

# A fixed credential of a sandbox belongs into tests and their configuration: it opens nothing.
_TESTS = frozenset(
    {"test", "tests", "__tests__", "spec", "specs", "e2e", "fixtures", "docs", ".github"}
)
_TEST_NAMES = re.compile(r"(?:^test_|[._-](?:test|spec)\.)|\.(?:md|ya?ml|toml|ini|cfg)$")


class OwnCredentials:
    """Finds them.

    Args:
        environment: The environment of the scan: credentials in it are looked for as well.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._known: dict[str, str] = {}
        for variable, what in _VARIABLES.items():
            value = environment.get(variable, "")
            if len(value) >= _SHORTEST:
                self._known |= dict.fromkeys(spellings(value), f"{what} of ${variable}")
        self._encoded = spellings(_MARK)[1:]

    def __call__(self, file: ScannedFile) -> Iterator[Hit]:
        """What is in a file; an inline source map is Base64, and so is what is in it."""
        text = file.text
        known = [Hit(text.find(form), what) for form, what in self._known.items() if form in text]
        yield from known
        if known:
            return  # what follows would be the same once more
        level = _level_in(file.shown)
        for found in _MARKED.finditer(text):
            what = _KINDS.get(found[1], "a credential")
            yield Hit(found.start(), f"{what} of a sandbox", level)
        for form in self._encoded:
            if form in text:
                yield Hit(text.find(form), "a credential of a sandbox, encoded", level)


def _level_in(shown: str) -> Level | None:
    """The level of a sandbox's credential in a file, if not the check's."""
    path = PurePosixPath(shown)
    is_test = not _TESTS.isdisjoint(path.parts[:-1]) or _TEST_NAMES.search(path.name)
    return "info" if is_test else None
