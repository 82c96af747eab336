"""A check about nothing in particular."""

from dataclasses import dataclass

from pytest_turris.core.levels import Level


@dataclass(frozen=True)
class ExampleCheck:
    """A check whose texts are easy to recognise."""

    id: str = "EX-01"
    title: str = "Tokens don't leak, ever"
    level: Level = "must"
    does: str = "Looks."
    why: str = "It would leak."
    fix: str = "Close it."
    source: str = "RFC 1"
    help_uri: str = "https://example.test/checks#ex-01"
