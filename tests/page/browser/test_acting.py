"""What a person does on each page, in a real browser."""

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from doubles.browsing import Browsing, call
from doubles.lenient_receiver import LenientReceiver
from playwright.sync_api import Route, expect

from mock_server.serving.server import StandaloneSandbox
from mock_server.shell.cli import app
from pytest_turris.attacks.catalogue import profile
from pytest_turris.core.outbox.endpoints import Endpoint

KIND = "PRODUCER_AGREEMENT_EXECUTED"
DROP = """([selector, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: 'application/json'}));
  const form = document.querySelector(selector);
  for (const kind of ['dragover', 'drop'])
    form.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data}));
}"""


def test_every_button_of_the_clock(server: StandaloneSandbox, person: Browsing) -> None:
    """To the refresh point, a second after it, to expiry, to a date, and back."""
    sandbox = server.sandbox
    token = sandbox.tokens.issue(sandbox.client)
    page = person.open("overview")
    person.does("+1 min", "1 minute has passed.")
    person.does("To the refresh point", "for the last time")
    assert sandbox.clock.now() >= token.expires_at - sandbox.options.refresh_buffer
    person.does("1 s after it", "due to be replaced")
    person.does("To expiry", "refused from now on")
    assert sandbox.clock.now() >= token.expires_at
    page.get_by_label("To a date").fill("2027-03-01T12:00:00")
    person.does("Set", "The clock was set.")
    expect(page.locator("#clock")).to_contain_text("2027-03-01 12:00")
    person.does("Back to now", "the server's time again")


def test_overview_follows(server: StandaloneSandbox, person: Browsing) -> None:
    """Counts, what is left of a window, faults until they are taken back."""
    page = person.open("overview")
    server.sandbox.limits.exhaust("token", leave=3)
    server.sandbox.agents.add()
    call(server, "/v1/policies")
    expect(page.locator("#limits")).to_contain_text("3 of 10")
    expect(page.locator("#counts")).to_contain_text("requests2")
    server.sandbox.faults.add("list_agents", status=503)
    person.open("overview")
    person.does("Take back the fault of list_agents", "taken back")
    expect(page.locator("#scripted")).to_contain_text("None")
    assert "curl" in person.copies("Copy as curl")


def test_tenants_are_made_and_switched(server: StandaloneSandbox, person: Browsing) -> None:
    """By the table, by the menu, by the filter of the requests; and removed."""
    page = person.open("overview")
    page.get_by_role("button", name="New tenant").click()
    page.locator("#f-name").fill("other")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    expect(page.get_by_role("dialog")).to_contain_text("TURRIS_CLIENT_SECRET")
    page.keyboard.press("Escape")
    page.locator("#tenants").get_by_role("link", name="other").click()
    page.wait_for_url("**/page/other/overview")
    page.locator(".menu summary").click()
    page.locator(".menu").get_by_role("link", name="default").click()
    page.wait_for_url("**/page/default/overview")
    person.open("requests")
    page.get_by_label("Status").fill("401")
    page.get_by_label("Tenant").select_option("other")
    page.wait_for_url("**/page/other/requests?status=401")
    expect(page.get_by_label("Status")).to_have_value("401")
    person.open("overview")
    person.does("Delete other", "was deleted")
    assert list(server.tenants.names) == ["default"]


def test_every_filter_of_the_requests(server: StandaloneSandbox, person: Browsing) -> None:
    """Operation, status, credential, refused only; each changes the list and the address."""
    sandbox = server.sandbox
    token = str(sandbox.tokens.issue(sandbox.client).text)
    call(server, "/v1/policies", token)
    page = person.open("requests")
    rows = page.locator("#rows tr[data-number]")
    expect(rows).to_have_count(2)
    page.get_by_label("Operation").select_option("list_policies")
    expect(rows).to_have_count(1)
    page.get_by_label("Operation").select_option("")
    page.get_by_label("Credential", exact=True).select_option(sandbox.client.client_id)
    expect(rows).to_have_count(1)
    page.get_by_label("Credential", exact=True).select_option("")
    page.get_by_label("Status").fill("401")
    expect(rows).to_have_count(1)
    page.get_by_label("Status").fill("")
    page.get_by_label("Refused only").check()
    expect(rows).to_have_count(1)
    assert "refused=1" in page.url
    page.get_by_label("Text").fill("nothing like it")
    expect(page.locator("#empty")).to_contain_text("No request fits these filters.")


def test_older_requests_come_by_scrolling(server: StandaloneSandbox, person: Browsing) -> None:
    """Each once, although others come meanwhile; of a burst the rest is counted."""
    for number in range(69):
        call(server, f"/v1/agents?n={number}")
    page = person.open("requests")
    rows = page.locator("#rows tr[data-number]")
    expect(page.locator("#live")).to_have_text("live")
    call(server, "/v1/new")
    expect(rows.first).to_contain_text("/v1/new")
    page.locator("#older").scroll_into_view_if_needed()
    expect(rows).to_have_count(71)
    numbers = rows.evaluate_all("all => all.map(one => Number(one.dataset.number))")
    assert numbers == sorted(set(numbers), reverse=True)
    with server.sandbox.lock:
        for _ in range(300):
            call(server, "/v1/burst")
    expect(page.locator("#skipped")).to_contain_text("more came too fast")
    expect(page.locator("#total")).to_have_text("371")
    page.locator("#skipped").get_by_role("link").click()
    expect(page.locator("#skipped")).to_be_hidden()


def test_what_was_late_stands_out(server: StandaloneSandbox, person: Browsing) -> None:
    """On the timeline, in the list, and in the detail of the request."""
    sandbox = server.sandbox
    token = sandbox.tokens.issue(sandbox.client)
    for minutes in (10, 57, 61):
        sandbox.clock.move_to(token.issued_at + dt.timedelta(minutes=minutes))
        number = call(server, "/v1/agents", token.text)
    page = person.open("tokens")
    for kind in ("good", "due", "dead"):
        expect(page.locator(f"svg .used.{kind}")).to_have_count(1)
    expect(page.get_by_role("table")).to_contain_text("2 late")
    person.open(f"requests/{number}")
    expect(page.locator("#detail")).to_contain_text("expired 1 min 00 s before")
    expect(page.locator("#detail .reason")).to_contain_text("expired")
    person.open("tokens")
    page.get_by_role("button", name="Forge with a flaw").click()
    page.locator("#f-flaw").select_option("alg_none")
    page.get_by_role("dialog").get_by_role("button", name="Forge").click()
    expect(page.get_by_role("dialog")).to_contain_text("eyJ")


def test_records_and_states_by_click(server: StandaloneSandbox, person: Browsing) -> None:
    """Seeded, saved, changed, removed, restored."""
    page = person.open("data")
    person.does("Messy", "The data was added.")
    count = len(server.sandbox.agents)
    page.get_by_label("Save as").fill("before")
    person.does("Save", "Done")
    page = person.open("data/agents")
    page.get_by_role("button", name=re.compile("^Change ")).first.click()
    page.locator("#f-firstName").fill("Grace")
    page.get_by_role("dialog").get_by_role("button", name="Update").click()
    expect(page.locator("#records")).to_contain_text("Grace")
    page.locator("#records tbody a").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#notice")).to_contain_text("remove")
    assert len(server.sandbox.agents) == count - 1
    page.locator(".filter summary").click()
    page.locator("#q-firstName").fill("nobody")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#records")).to_contain_text("Nothing fits")
    person.open("data")
    person.does("Restore before", "what was saved")
    assert len(server.sandbox.agents) == count


def test_a_file_is_dropped(server: StandaloneSandbox, person: Browsing) -> None:
    """What is no file of a sandbox is said, and changes nothing."""
    page = person.open("data")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    world = download.value.path().read_text()
    server.tenants.default.reset()
    page.evaluate(DROP, ["form[data-file]", "wrong.json", json.dumps({"format": "other"})])
    expect(page.locator("#notice")).to_have_text(re.compile("."))
    assert len(server.sandbox.agents) == 0
    page.evaluate(DROP, ["form[data-file]", "world.json", world])
    expect(page.get_by_role("dialog")).to_contain_text("clientSecret")
    assert len(server.sandbox.agents) == 3


def test_faults_by_one_click(server: StandaloneSandbox, person: Browsing) -> None:
    """One of an operation, a hostile answer, a window at its edge; all are taken back."""
    page = person.open("faults")
    page.locator("#fault-operation").select_option("list_agents")
    page.locator("#fault-status").select_option("503")
    page.get_by_role("button", name="Script", exact=True).first.click()
    expect(page.locator("#faults")).to_contain_text("0 of 1")
    person.does("Script AR-02 null", "AR-02 was scripted.")
    expect(page.locator("#faults")).to_contain_text("hostile answer AR-02/null")
    person.does("Leave 1", "One call is left.")
    expect(page.locator("#limits")).to_contain_text("1 of 10")
    person.does("Take all back", "All faults were taken back.")
    assert len(list(server.sandbox.faults)) == 0


@pytest.fixture
def receiver() -> Iterator[LenientReceiver]:
    """A receiver on this machine that accepts everything."""
    with contextlib.closing(LenientReceiver()) as found:
        yield found


@pytest.fixture
def endpoint(server: StandaloneSandbox, receiver: LenientReceiver) -> Endpoint:
    """Its registered webhook."""
    sandbox = server.sandbox
    return sandbox.outbox.register(receiver.url, KIND, sandbox.clock.now(), "a-key-of-this-test")


def test_webhooks_by_click(person: Browsing, receiver: LenientReceiver) -> None:
    """Registered, an event with a changed member sent, looked at byte for byte, sent again."""
    page = person.open("webhooks")
    page.get_by_role("button", name="Register").click()
    page.locator("#f-url").fill(receiver.url)
    page.locator("#f-event").select_option(KIND)
    page.get_by_role("dialog").get_by_role("button", name="Register").click()
    expect(page.get_by_role("dialog")).to_contain_text("failures")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Send event").click()
    page.get_by_role("dialog").get_by_label("branchName").first.fill("West <b>")
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    expect(page.locator("#notice")).to_contain_text("was sent: 204")
    assert b"West <b>" in receiver.received[0]
    page.locator("#delivery-1").click()
    expect(page.get_by_role("dialog")).to_contain_text("X-Turris-Signature", ignore_case=True)
    expect(page.get_by_role("dialog").locator("pre")).to_have_text(receiver.received[0].decode())
    assert not person.violations()
    page.keyboard.press("Escape")
    person.does("Resend delivery 1", "sent again")
    expect(page.locator("#deliveries")).to_contain_text("204 204")
    assert receiver.received[1] == receiver.received[0]


def test_dialog_that_is_closed_before_its_answer_comes(
    person: Browsing, receiver: LenientReceiver
) -> None:
    """What it did is done: the list shows it."""
    page = person.open("webhooks")
    held: list[Route] = []
    page.route("**/do/webhooks/register", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.get_by_role("button", name="Register").click()
    page.locator("#f-url").fill(receiver.url)
    page.locator("#f-event").select_option(KIND)
    with page.expect_request("**/do/webhooks/register"):
        page.get_by_role("dialog").get_by_role("button", name="Register").click()
    page.keyboard.press("Escape")
    expect(page.locator("#dialog-body form")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_role("button", name="Send event")).to_be_attached()
    page.unroute_all()


def test_dialog_that_is_closed_while_its_answer_settles(person: Browsing) -> None:
    """Else it would stay open without a content, and the page could not be used."""
    page = person.open("webhooks")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate(
        "document.getElementById('dialog').close();"
        "document.getElementById('dialog-body')"
        ".dispatchEvent(new CustomEvent('htmx:afterSettle', {bubbles: true}))"
    )
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_run_of_attacks_is_stopped(person: Browsing, endpoint: Endpoint) -> None:
    """The verdict that is on its way still comes, and no attack after it."""
    page = person.open(f"webhooks/{endpoint.id}/attack")
    held: list[Route] = []
    page.route(re.compile(r"/attack/1\?"), lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    page.get_by_role("button", name="Attack").click()
    expect(page.locator("#progress")).to_contain_text("1 of 48")
    while not held:
        page.wait_for_timeout(10)
    page.get_by_role("button", name="Stop").click()
    # Before the route is taken away: that continues what it holds.
    held[0].continue_()
    expect(page.locator("#verdicts tr")).to_have_count(2)
    expect(page.locator("#progress")).to_have_text("Stopped: the rest was not observed.")
    assert page.locator("#progress form").count() == 0
    page.unroute_all()
    assert not person.violations()


def test_one_attack_alone(person: Browsing, endpoint: Endpoint) -> None:
    """With what was sent, what came, and how it is mended."""
    page = person.open(f"webhooks/{endpoint.id}/attack")
    page.locator("#one-attack").select_option("WH-02")
    page.get_by_role("button", name="Attack").click()
    expect(page.locator("#progress")).to_contain_text("1 of 1")
    expect(page.locator("#verdicts")).to_contain_text("Expected")


def test_full_profile_stays_full(person: Browsing, endpoint: Endpoint) -> None:
    """Each step of a run knows what the first one was asked for."""
    page = person.open(f"webhooks/{endpoint.id}/attack")
    page.get_by_label("Full").check()
    page.get_by_role("button", name="Attack").click()
    expect(page.locator("#verdicts tr").nth(3)).to_be_visible()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"of 1\d\d"))
    page.get_by_role("button", name="Stop").click()
    shown = page.locator("#verdicts tr").evaluate_all("all => all.map(one => one.id)")
    assert shown[::-1] == [one.id for one in profile("full")][: len(shown)]


def test_a_run_gives_the_verdicts_of_the_command_line(
    person: Browsing, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To its end, with a bar that is full then, and a count of the verdicts."""
    page = person.open(f"webhooks/{endpoint.id}/attack")
    page.get_by_role("button", name="Attack").click()
    expect(page.locator("#progress")).to_contain_text(re.compile(r"48 of 48\s+Done\."))
    shown = dict(
        page.locator("#verdicts tr").evaluate_all(
            "all => all.map(one => [one.id, one.dataset.outcome])"
        )
    )
    file = tmp_path / "verdicts.json"
    monkeypatch.setenv("TURRIS_WEBHOOK_SECRET", "a-key-of-this-test")
    command = ["attack", endpoint.url, "--event", KIND, "--json", str(file)]
    CliRunner().invoke(app, command)
    printed = json.loads(file.read_text())["verdicts"]
    assert shown == {one["id"]: one["outcome"] for one in printed}
    failed = list(shown.values()).count("failed")
    expect(page.locator("#tally")).to_contain_text(f"{failed} failed")
