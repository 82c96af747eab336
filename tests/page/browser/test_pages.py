"""The page in a real browser, by what a person does."""

import json
import re
from pathlib import Path

import pytest
from doubles.browsing import Browsing, call
from playwright.sync_api import expect

from mock_server.serving.server import StandaloneSandbox

PAGES = ("overview", "requests", "requests/1", "tokens", "data", "data/agents", "webhooks")
MORE = ("faults", "checklist")


def test_the_token_leaves_the_address_bar(person: Browsing) -> None:
    """And no script of a page could read the cookie."""
    page = person.open("overview")
    assert "token" not in page.url
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


@pytest.mark.parametrize("path", [*PAGES, *MORE])
def test_every_page_in_both_sizes_and_schemes(
    server: StandaloneSandbox, person: Browsing, path: str
) -> None:
    """Axe finds nothing, and nothing is wider than the window."""
    sandbox = server.sandbox
    token = sandbox.tokens.issue(sandbox.client)
    call(server, "/v1/agents", token.text)
    sandbox.faults.add("list_agents", status=503)
    sandbox.outbox.register(
        "http://127.0.0.1:9/", "PRODUCER_AGREEMENT_EXECUTED", sandbox.clock.now(), "k"
    )
    for width, scheme in ((1280, "light"), (390, "dark")):
        person.view(width, scheme)
        person.open(path)
        assert not person.violations(), (width, scheme)
        assert not person.is_wider_than_the_window(), (width, scheme)


def test_clock_buttons(server: StandaloneSandbox, person: Browsing) -> None:
    """The page follows, and says what was done."""
    page = person.open("overview")
    page.get_by_role("button", name="+5 min").click()
    expect(page.locator("#notice")).to_contain_text("5 minutes have passed.")
    expect(page.locator("#clock")).to_contain_text("+5 min 00 s")
    page.get_by_role("button", name="Back to now").click()
    expect(page.locator("#clock")).to_contain_text("the server's time")
    assert server.sandbox.clock.offset.total_seconds() == 0


def test_credentials_are_copied(server: StandaloneSandbox, person: Browsing) -> None:
    """To the clipboard, with the secret that the page does not show."""
    page = person.open("overview")
    page.get_by_role("button", name="Copy as .env").click()
    expect(page.locator("#notice")).to_contain_text("Copied.")
    secret = str(server.sandbox.client.client_secret)
    assert secret in page.evaluate("navigator.clipboard.readText()")
    assert secret not in page.content()


def test_requests_come_live_and_are_filtered(server: StandaloneSandbox, person: Browsing) -> None:
    """Newest first; a filter leaves some, in the list and of what comes."""
    page = person.open("requests")
    expect(page.locator("#live")).to_have_text("live")
    call(server, "/v1/nope")
    rows = page.locator("#rows tr[data-number]")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("/v1/nope")
    expect(page.locator("#total")).to_have_text("2")
    page.get_by_role("searchbox").fill("agents")
    expect(rows).to_have_count(1)
    assert page.url.endswith("text=agents&operation=&status=&credential=")
    call(server, "/v1/nope")
    call(server, "/v1/agents")
    expect(rows).to_have_count(2)
    rows.first.get_by_role("link").click()
    expect(page.locator("#detail h2")).to_contain_text("/v1/agents")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#notice")).to_contain_text("Sent again as number 5: 401.")
    page.get_by_role("button", name="Copy as pytest test").click()
    expect(page.locator("#notice")).to_contain_text("Copied.")
    assert "def test_" in page.evaluate("navigator.clipboard.readText()")


def test_keyboard_alone(server: StandaloneSandbox, person: Browsing) -> None:
    """To the filter, along the list, into one request; a dialog is opened, filled, left, sent."""
    call(server, "/v1/nope")
    page = person.open("requests")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.locator("#q-operation").blur()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_contain_text("/v1/agents")
    page = person.open("faults")
    page.get_by_role("button", name="Any fault").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#f-operation")).to_be_visible()
    page.locator("#f-operation").focus()
    page.keyboard.type("list_agents")
    page.keyboard.press("Tab")
    page.keyboard.type("503")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#faults")).to_contain_text("list_agents")


def test_errors_at_their_fields(server: StandaloneSandbox, person: Browsing) -> None:
    """The first one has the focus; what is right then closes the dialog and changes the table."""
    page = person.open("data/agents")
    page.get_by_role("button", name="Add").click()
    page.locator("#f-npn").fill("x")
    page.locator("#f-authority").fill("{")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.locator("#f-authority")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-authority")).to_be_focused()
    assert not person.violations()
    page.locator("#f-authority").fill("")
    page.locator("#f-npn").fill("12345678")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#records")).to_contain_text("12345678")
    page.locator("#records tbody a").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not person.violations()


def test_a_file_is_chosen_and_imported(
    server: StandaloneSandbox, person: Browsing, tmp_path: Path
) -> None:
    """The new credentials are shown this once."""
    page = person.open("data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    file = tmp_path / "world.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["format"] == "turris-sandbox world"
    server.tenants.default.reset()
    page.locator("#file").set_input_files(file)
    expect(page.get_by_role("dialog")).to_contain_text("clientSecret")
    assert len(server.sandbox.agents) == 3


def test_tokens_by_click(server: StandaloneSandbox, person: Browsing) -> None:
    """One is issued, looked at, revoked."""
    page = person.open("tokens")
    page.get_by_role("button", name="Issue").click()
    page.get_by_role("dialog").get_by_role("button", name="Issue").click()
    expect(page.get_by_role("dialog")).to_contain_text("accessToken")
    page.keyboard.press("Escape")
    page.locator("#tokens table a").first.click()
    expect(page.locator("#inspector")).to_contain_text("RS256")
    page.get_by_role("button", name=re.compile("Revoke the token")).click()
    expect(page.locator("#tokens")).to_contain_text("revoked")


def test_each_finding_has_its_exchange(server: StandaloneSandbox, person: Browsing) -> None:
    """The link goes to the request that shows it; the line of the checklist is violated."""
    token = server.sandbox.tokens.issue(server.sandbox.client)
    page = person.open("checklist")
    expect(page.locator("#checklist")).to_contain_text("Nothing was found so far")
    number = call(server, f"/v1/agents?access_token={token.text}")
    expect(page.locator(".finding")).to_contain_text("RQ-01")
    expect(page.locator("#checklist table")).to_contain_text("violated")
    assert not person.violations()
    page.locator(".finding").get_by_role("link").first.click()
    page.wait_for_url(f"**/requests/{number}")
    expect(page.locator("#detail")).to_contain_text("access_token=***")
    assert str(token.text) not in page.content()
