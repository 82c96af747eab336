"""Options of the tests of the documentation."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--record-pages`` writes the numbers of a run into the pages that show it."""
    parser.addoption("--record-pages", action="store_true", help="write docs/**/*.md")
