"""Base URLs that cannot be read, wherever one is given."""

import pytest
from click.testing import CliRunner

from mock_server.shell.cli import app
from pytest_turris.core.wire.base_url import split_base_url

UNREADABLE = [
    "http://[",
    "http://a:99999",
    "http://a b",
    "http://a\n",
    "http://a..b",
    "ftp://a",
    "a",
]


@pytest.mark.parametrize("url", UNREADABLE)
@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("list", "agents", "--url"), 2),
        (("audit", "--url"), 2),
        (("drift", "--read-only", "--against"), 2),
        (("serve", "--port", "0", "--public-url"), 2),
        (("health",), 1),
    ],
)
def test_url_that_cannot_be_read_is_one_line(words: tuple[str, ...], status: int, url: str) -> None:
    """It is a mistake of the command line, and no error of the command."""
    result = CliRunner().invoke(app, [*words, url])
    assert result.exit_code == status
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    "url", ["http://localhost:8791", "https://[::1]:1", "http://b\u00fccher.test"]
)
def test_url_of_a_server(url: str) -> None:
    """With a name or an address, with or without a port."""
    assert split_base_url(url) is not None
