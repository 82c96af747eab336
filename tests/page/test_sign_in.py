"""Who may see the page, and from where."""

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from doubles.served_here import served
from doubles.visitor import PAGE, Visitor

from mock_server.page.sign_in import SignIn, cookie, cookie_name
from mock_server.page.views import ROUTES
from pytest_turris.core.text.redaction import redact
from pytest_turris.core.wire.messages import Request

OVERVIEW = f"{PAGE}/default/overview"


@pytest.fixture
def stranger(visitor: Visitor) -> Visitor:
    """A visitor who is not signed in, at the same server."""
    return Visitor(visitor.server)


@pytest.fixture
def guest(visitor: Visitor) -> Visitor:
    """A visitor who is signed in and may sign out."""
    return Visitor(visitor.server).signed_in()


def path_of(visitor: Visitor) -> str:
    """The path of a new address, with its token."""
    return visitor.server.page_address().removeprefix(visitor.server.base_url)


def test_the_token_of_an_address_becomes_a_cookie(stranger: Visitor) -> None:
    """The browser moves on to an address without it; the cookie is for this server alone."""
    seen = stranger.send("GET", path_of(stranger))
    assert (seen.status, seen.headers["location"]) == (303, OVERVIEW)
    port = stranger.server.base_url.rpartition(":")[2]
    name, _, attributes = seen.headers["set-cookie"].partition("=")
    assert name == f"turris_sandbox_{port}"
    assert attributes.split("; ")[1:] == ["Path=/__sandbox__/", "HttpOnly", "SameSite=Strict"]


def test_an_address_works_once(stranger: Visitor) -> None:
    """Also if it is found in a history or a terminal later."""
    path = path_of(stranger)
    assert stranger.send("HEAD", path).status == 401
    assert stranger.send("GET", path, Sec_Purpose="prefetch").status == 401
    assert stranger.send("GET", path).status == 303
    again = stranger.send("GET", path)
    assert again.status == 401
    assert "It works once" in again.text


def test_without_a_session_the_page_says_how_to_get_in(stranger: Visitor) -> None:
    """On every path; what htmx asks for leads there too."""
    for path in ("/__sandbox__/", OVERVIEW, f"{PAGE}/default/requests/stream"):
        seen = stranger.send("GET", path)
        assert seen.status == 401
        assert "TURRIS_CONTROL_TOKEN" in seen.text
    seen = stranger.send("GET", OVERVIEW, HX_Request="true")
    assert (seen.status, seen.headers["hx-redirect"]) == (401, "/__sandbox__/")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_view_answers_a_stranger(stranger: Visitor, method: str) -> None:
    """Whatever it shows, sends or does; and nothing is done."""
    before = stranger.sandbox.snapshot()
    headers = stranger.form_headers() if method == "POST" else {}
    for route in ROUTES:
        path = re.sub(r"{\w+}", "1", route.path)
        seen = stranger.send(method, f"{PAGE}/default/{path}", **headers)
        assert seen.status == 401, route.path
        assert "set-cookie" not in seen.headers
    assert stranger.sandbox.snapshot() == before


def test_control_token_signs_in(stranger: Visitor) -> None:
    """As often as it is needed; a wrong one does not."""
    headers, right = stranger.form_headers(), stranger.server.control_token
    for token, status in (
        (right, 303),
        ("wrong", 401),
        ("", 401),
        (f"{right}x", 401),
        (right[:-1], 401),
    ):
        seen = stranger.send("POST", f"{PAGE}/sign-in", urlencode({"token": token}), **headers)
        assert seen.status == status, token
    assert "not the control token" in seen.text


def test_signing_out_ends_the_session(guest: Visitor) -> None:
    """In the server too: the old cookie is worth nothing."""
    body = urlencode({"csrf": guest.csrf})
    headers = guest.form_headers() | {"X_CSRF_Token": ""}
    seen = guest.send("POST", f"{PAGE}/sign-out", body, **headers)
    assert seen.status == 303
    assert "Max-Age=0" in seen.headers["set-cookie"]
    assert guest.get("overview").status == 401


def test_root_leads_to_the_overview(visitor: Visitor) -> None:
    """With and without the slash."""
    assert visitor.send("GET", "/__sandbox__").headers["location"] == "/__sandbox__/"
    assert visitor.send("GET", "/__sandbox__/").headers["location"] == OVERVIEW


FOREIGN = {
    "another origin": ({"Origin": "http://evil.example"}, 403),
    "another port": ({"Origin": "http://127.0.0.1:1"}, 403),
    "no origin": ({"Origin": ""}, 403),
    "a null origin": ({"Origin": "null"}, 403),
    "another site": ({"Sec_Fetch_Site": "cross-site"}, 403),
    "another port's site": ({"Sec_Fetch_Site": "same-site"}, 403),
    "no CSRF token": ({"X_CSRF_Token": ""}, 403),
    "a wrong CSRF token": ({"X_CSRF_Token": "0" * 64}, 403),
    "another CSRF token": ({"X_CSRF_Token": "ü"}, 403),
    "a re-bound name": ({"Host": "evil.example"}, 421),
    "JSON": ({"Content_Type": "application/json"}, 400),
    "no cookie": ({"Cookie": "other=1"}, 401),
}


@pytest.mark.parametrize(("changed", "status"), FOREIGN.values(), ids=FOREIGN)
def test_what_another_page_sends_is_refused(
    visitor: Visitor, changed: dict[str, str], status: int
) -> None:
    """Although the browser may add the cookie: nothing moves."""
    before = visitor.sandbox.clock.offset
    headers = visitor.form_headers() | changed
    seen = visitor.send("POST", f"{PAGE}/default/do/clock/advance", "by=1h", **headers)
    assert seen.status == status
    assert visitor.sandbox.clock.offset == before


def test_the_same_form_of_the_page_itself_is_taken(visitor: Visitor) -> None:
    """So the refusals above are for what was changed."""
    before = visitor.sandbox.clock.offset
    headers = visitor.form_headers()
    assert (
        visitor.send("POST", f"{PAGE}/default/do/clock/advance", "by=1h", **headers).status == 200
    )
    assert (visitor.sandbox.clock.offset - before).total_seconds() == 3_600


@pytest.mark.parametrize("path", ["overview", "requests", "nothing-here"])
def test_policy_of_every_answer(visitor: Visitor, path: str) -> None:
    """No inline script or style, no other origin, no frame, no guess of the type."""
    seen = visitor.get(path)
    policy = seen.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert seen.headers["cache-control"] == "no-store"
    for inline in ("<style", " style=", " onclick=", "<script>", "javascript:"):
        assert inline not in seen.text


def test_other_methods_and_paths_are_refused(visitor: Visitor) -> None:
    """In words, and without a bug in the log."""
    assert visitor.send("DELETE", OVERVIEW).status == 405
    assert visitor.get("nothing-here").status == 404
    assert visitor.send("GET", f"{PAGE}/unknown/overview").status == 404
    assert visitor.send("GET", f"{PAGE}/assets/0/secret.py").status == 404
    assert visitor.send("GET", f"{PAGE}/assets/0/..%2fdoor.py").status == 404
    assert visitor.send("GET", f"{PAGE}/default/other/stream").status == 404
    assert visitor.send("GET", f"{PAGE}/unknown/requests/stream").status == 404
    assert visitor.get("requests?" + "&".join(f"a{n}=1" for n in range(2_001))).status == 400
    assert visitor.send("HEAD", OVERVIEW).status == 200


def test_a_bug_is_logged_and_not_shown(
    visitor: Visitor, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says where the cause is."""
    monkeypatch.setattr(type(visitor.sandbox), "strict_failures", lambda _: 1 / 0)
    seen = visitor.get("overview")
    assert seen.status == 500
    assert "ZeroDivisionError" not in seen.text
    assert "ZeroDivisionError" in log[-1]


def test_secrets_do_not_show() -> None:
    """In a repr, or in a text that is redacted."""
    sign_in = SignIn("control token")
    address = sign_in.address("http://127.0.0.1:1")
    assert redact(address).startswith("http://127.0.0.1:1/__sandbox__/?token=***-")
    session = sign_in.enter(address.partition("token=")[2])
    assert session
    assert session.key not in repr(session)


def test_old_sessions_and_addresses_make_room() -> None:
    """The memory of the server does not fill up: 100 of each are kept."""
    sign_in = SignIn("control token")
    first = sign_in.address("").partition("token=")[2]
    for _ in range(100):
        sign_in.address("")
    assert sign_in.enter(first) is None


def test_cookie_over_tls_and_behind_a_name() -> None:
    """It is sent over TLS only; without a port its name has none."""
    request = Request(method="GET", path="/__sandbox__/", scheme="https", host="turris.example")
    assert cookie_name(request) == "turris_sandbox"
    assert cookie(request, None)[1].endswith("Max-Age=0; Secure")


@pytest.fixture
def empty() -> Iterator[Visitor]:
    """A visitor of a server whose page was never opened."""
    with served() as server:
        yield Visitor(server)


def test_a_server_without_a_visitor_makes_no_page(empty: Visitor) -> None:
    """The control API and the page are apart: neither token opens the other."""
    bearer = f"Bearer {empty.server.control_token}"
    assert empty.send("GET", "/__sandbox__/clock", Authorization=bearer).status == 200
    assert empty.send("GET", OVERVIEW, Authorization=bearer).status == 401
    empty.signed_in()
    assert empty.send("GET", "/__sandbox__/clock").status == 401


LONG = 3_000_000


@pytest.mark.parametrize(
    ("method", "path", "origin", "status"),
    [
        ("POST", OVERVIEW, "", 403),
        ("POST", OVERVIEW, "own", 401),
        ("GET", OVERVIEW, "", 401),
        ("POST", f"{PAGE}/sign-in", "", 403),
        ("PUT", f"{PAGE}/sign-in", "own", 405),
    ],
)
def test_body_of_a_stranger_is_not_read(
    stranger: Visitor, method: str, path: str, origin: str, status: int
) -> None:
    """Who is not signed in is refused after the head, so that no body takes up memory."""
    host = stranger.server.base_url.partition("://")[2]
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {LONG}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
    )
    if origin:
        head += f"Origin: {stranger.server.base_url}\r\n"
    port = stranger.server.tenants.server.own_port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"{head}\r\n".encode())
        assert client.recv(65_536).startswith(f"HTTP/1.1 {status} ".encode())


def test_form_that_signs_in_is_short(stranger: Visitor) -> None:
    """Of a body without a session, not more is read than a token needs."""
    form = urlencode({"a": "b" * LONG, "token": stranger.server.control_token})
    kind = "application/x-www-form-urlencoded"
    seen = stranger.send("POST", f"{PAGE}/sign-in", form, Origin=stranger.origin, Content_Type=kind)
    assert seen.status == 401
