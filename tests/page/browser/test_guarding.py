"""Who may look, what other pages cannot do, and text that would be a script: in a real browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from doubles.browsing import Browsing, call
from doubles.hostile_data import HOSTILE, fill
from doubles.served_here import KeptLog, served
from doubles.tls_proxy import tls_proxy
from doubles.visitor import Visitor
from playwright.sync_api import expect

from mock_server.control.tenants import DEFAULT
from mock_server.serving.server import ServerSettings, StandaloneSandbox
from mock_server.store.store import Store
from pytest_turris.core.sandbox import Sandbox

EVIL = """<!doctype html><title>Evil</title><p id="done"></p>
<iframe name="sink"></iframe><iframe id="framed" src="{page}overview"></iframe>
<form method="post" target="sink" action="{page}do/clock/advance">
<input name="by" value="1h"></form>
<script>
document.forms[0].submit();
const asks = ["no-cors", "cors"].map(mode => fetch("{page}do/clock/advance", {{
  method: "POST", mode, credentials: "include", body: new URLSearchParams({{by: "1h"}})
}}).catch(() => null));
const reads = ["overview", "requests/stream"].map(path =>
  fetch("{page}" + path, {{credentials: "include"}}).then(one => one.text(), () => "refused"));
Promise.all([...asks, ...reads]).then(all => setTimeout(() => {{
  document.querySelector("#done").textContent = all.slice(2).join();
}}, 300));
</script>"""


def test_who_is_not_signed_in(server: StandaloneSandbox, person: Browsing) -> None:
    """The page says how to get in; the control token does, and signing out ends it."""
    context = person.page.context.browser.new_context()  # type: ignore[union-attr] # it has one
    guest = Browsing(server, context.new_page())
    for width, scheme in ((1280, "light"), (390, "dark")):
        guest.view(width, scheme)
        page = guest.open("tokens")
        expect(page.locator("main")).to_contain_text("open the address that turris-sandbox serve")
        assert not guest.violations()
        assert not guest.is_wider_than_the_window()
    page.get_by_label("Control token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the control token")
    page.get_by_label("Control token").fill(server.control_token)
    page.keyboard.press("Enter")
    page.wait_for_url("**/page/default/overview")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    guest.open("overview")
    expect(page.get_by_label("Control token")).to_be_visible()
    # The browser notes each 401; nothing else is wrong.
    assert all("401" in error for error in guest.errors)
    assert guest.hosts == {server.base_url}
    context.close()


@pytest.fixture
def evil(server: StandaloneSandbox) -> Iterator[str]:
    """The URL of a page of somebody else, on another port of this machine."""
    body = EVIL.format(page=f"{server.base_url}/__sandbox__/page/default/").encode()

    class Handler(BaseHTTPRequestHandler):
        """Serves the page."""

        def do_GET(self) -> None:
            """Answer with it."""
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as other:
        thread = threading.Thread(target=other.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}/"
        other.shutdown()
        thread.join()


def test_a_page_of_somebody_else_moves_and_reads_nothing(
    server: StandaloneSandbox, person: Browsing, evil: str
) -> None:
    """Although the browser sends the cookie: another port of this machine is the same site."""
    page = person.page.context.new_page()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(f"{one.method} {one.url}"))
    page.goto(evil)
    expect(page.locator("#done")).to_have_text("refused,refused")
    move = f"{server.base_url}/__sandbox__/page/default/do/clock/advance"
    assert sent.count(f"POST {move}") == 3
    assert server.sandbox.clock.offset.total_seconds() == 0
    framed = page.frame_locator("#framed").locator("#clock")
    assert framed.count() == 0
    page.close()


def test_a_name_that_is_bound_to_this_machine(server: StandaloneSandbox, person: Browsing) -> None:
    """DNS rebinding: the browser takes the page for one of that name."""
    page = person.page.context.new_page()
    port = server.base_url.rpartition(":")[2]
    answer = page.goto(f"http://rebound.example:{port}/__sandbox__/")
    assert answer
    assert answer.status == 421
    page.close()


def test_hostile_text_is_shown_as_text(server: StandaloneSandbox, person: Browsing) -> None:
    """Nothing of it runs, becomes an element, or loads anything, on any page."""
    visitor = Visitor(server).signed_in()
    fill(visitor)
    sandbox = server.sandbox
    agent = next(iter(sandbox.agents))
    newest = sandbox.journal.seen
    assert len(sandbox.journal) >= 9
    page = person.page
    for path in (
        "overview", "requests", *(f"requests/{number}" for number in range(newest - 8, newest + 1)),
        "tokens", "data", "data/agents", "data/associations", "webhooks", "faults", "checklist",
        f"data/agents/{agent.key}", "webhooks/deliveries/1",
    ):  # fmt: skip
        person.open(path)
        found = page.evaluate(
            "[...document.querySelectorAll('*')].filter(one => one.localName.startsWith('xss-')"
            " || one.localName === 'img' || [...one.attributes].some(a => /^on/.test(a.name)))"
            ".map(one => one.outerHTML)"
        )
        assert not found, path
        assert not person.errors, path
    person.open("requests")
    page.get_by_role("searchbox").fill(HOSTILE)
    expect(page.locator("#empty, #rows tr").first).to_be_visible()
    call(server, "/v1/<img src=x onerror=alert(1)>")
    assert "http://evil.example" not in person.hosts


def test_behind_a_proxy_that_ends_tls(person: Browsing) -> None:
    """Forms and the stream of requests are taken from the origin of the public URL."""
    browser = person.page.context.browser
    assert browser
    with tls_proxy("turris.example") as proxy:
        settings = ServerSettings(public_url=proxy.url)
        context = browser.new_context(ignore_https_errors=True)
        with served(settings=settings) as server:
            proxy.upstream = server.tenants.server.own_port
            guest = Browsing(server, context.new_page())
            page = guest.page
            page.goto(server.page_address())
            (cookie,) = context.cookies()
            assert (cookie["secure"], cookie["domain"]) == (True, "turris.example")
            guest.does("+5 min", "5 minutes have passed.")
            assert server.sandbox.clock.offset.total_seconds() == 300
            guest.open("requests")
            expect(page.locator("#live")).to_have_text("live")
            call(server, "/v1/agents")
            expect(page.locator("#rows tr[data-number]")).to_have_count(1)
            assert not guest.errors
            assert guest.hosts == {proxy.url}
            context.close()


def test_rewind_and_fork(person: Browsing, tmp_path: Path) -> None:
    """With a store: to just before a request, here or as a tenant of its own."""
    log = KeptLog([])
    store, sandbox = Store.open(tmp_path / "state", log.warn), Sandbox()
    store.attach(sandbox, DEFAULT)
    with StandaloneSandbox(sandbox, ServerSettings(), log, store) as server:
        context = person.page.context.browser.new_context()  # type: ignore[union-attr] # it has one
        guest = Browsing(server, context.new_page())
        page = guest.page
        page.goto(server.page_address())
        guest.open("data")
        guest.does("Small agency", "The data was added.")
        number = call(server, "/v1/policies")
        sandbox.agents.add()
        count = len(sandbox.agents)
        guest.open(f"requests/{number}")
        page.get_by_role("button", name="Fork from there").click()
        page.wait_for_url(f"**/page/default-before-{number}/overview")
        forked = server.tenants.get(f"default-before-{number}")
        assert forked
        assert len(forked.sandbox.agents) == count - 1
        assert len(sandbox.agents) == count
        guest.open(f"requests/{number}")
        guest.does("Rewind to before it", f"as it was before request {number}")
        assert len(sandbox.agents) == count - 1
        assert not guest.errors
        context.close()
    store.close()
    log.close()


def test_without_a_store_the_buttons_say_so(server: StandaloneSandbox, person: Browsing) -> None:
    """They cannot be clicked, and name the option."""
    page = person.open(f"requests/{server.sandbox.journal.seen}")
    for name in ("Rewind to before it", "Fork from there"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_disabled()
    expect(page.locator("#no-store")).to_contain_text("--store FILE")
