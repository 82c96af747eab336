"""The page behind a proxy that ends TLS: ``serve --public-url``."""

from collections.abc import Iterator

import pytest
from doubles.served_here import served
from doubles.visitor import Visitor

from mock_server.serving.cors import origin_of
from mock_server.serving.server import ServerSettings

PUBLIC = "https://turris.example"


@pytest.fixture(scope="module")
def proxied() -> Iterator[Visitor]:
    """A visitor who is signed in at a server with a public URL; the origin is that URL."""
    with served(settings=ServerSettings(public_url=PUBLIC)) as server:
        yield Visitor(server).signed_in()


@pytest.mark.parametrize("host", ["turris.example", ""])
def test_public_origin_is_taken(proxied: Visitor, host: str) -> None:
    """Whether the proxy passes the Host of the browser on, or puts in that of the server."""
    value = proxied.cookie.partition("=")[2]
    headers = proxied.form_headers() | {"Host": host}
    headers |= {"Cookie": f"turris_sandbox={value}"} if host else {}
    path = "/__sandbox__/page/default/do/clock/advance"
    assert proxied.send("POST", path, "by=1m", **headers).status == 200


def test_cookie_of_the_public_name_is_for_tls_alone(proxied: Visitor) -> None:
    """The server itself speaks plain HTTP with the proxy."""
    path = proxied.server.page_address().removeprefix(PUBLIC)
    seen = proxied.send("GET", path, Host="turris.example")
    assert seen.headers["set-cookie"].startswith("turris_sandbox=")
    assert seen.headers["set-cookie"].endswith("; Secure")


FOREIGN = ("https://evil.example", "http://turris.example", "https://turris.example:8443", "null")


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_origins_are_refused(proxied: Visitor, origin: str) -> None:
    """Another scheme or port is another origin."""
    seen = proxied.send(
        "POST", "/__sandbox__/page/default/do/clock/advance", "by=1m",
        **proxied.form_headers() | {"Origin": origin},
    )  # fmt: skip
    assert seen.status == 403


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("", ""),
        ("https://Turris.Example", "https://turris.example"),
        ("https://turris.example:443", "https://turris.example"),
        ("http://turris.example:443", "http://turris.example:443"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_origins_are_written_as_browsers_write_them(url: str, origin: str) -> None:
    """In lower case, without the usual port of the scheme."""
    assert origin_of(url) == origin
