"""Take the pictures of the page in ``docs/how-to/page``, from a sandbox in which something happens.

``make screenshots`` writes those of the documentation; ``--all DIRECTORY`` every page instead, wide
and narrow, light and dark, to look at. It needs Chromium.
"""

import argparse
import contextlib
import datetime as dt
import json
import shutil
import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from doubles.lenient_receiver import LenientReceiver
from doubles.served_here import served
from playwright.sync_api import Browser, Page, sync_playwright

from mock_server.serving.server import StandaloneSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.wire.errors import ConnectionFailure
from pytest_turris.core.wire.messages import Request

DOCS = Path(__file__).parent
PLACE = DOCS / "how-to" / "page"
MOMENT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
LATE, EXPIRED = dt.timedelta(minutes=57), dt.timedelta(minutes=62)
WIDE, NARROW = 1280, 390
EVENT = "PRODUCER_AGREEMENT_EXECUTED"

PAGES = {
    "overview": "overview",
    "requests": "requests",
    "one-request": "requests/{refused}",
    "tokens": "tokens",
    "one-token": "tokens/{token}",
    "data": "data",
    "agents": "data/agents",
    "webhooks": "webhooks",
    "attack": "webhooks/{endpoint}/attack",
    "faults": "faults",
    "checklist": "checklist",
}
DOCUMENTED = {
    ("overview", WIDE, "light"),
    ("one-request", WIDE, "light"),
    ("tokens", WIDE, "dark"),
    ("attack", WIDE, "light"),
    ("checklist", NARROW, "dark"),
}


class Client:
    """A client of the sandbox that makes some mistakes."""

    def __init__(self, server: StandaloneSandbox) -> None:
        self.server = server
        self.sandbox = server.sandbox

    def call(self, method: str, path: str, token: object = "", body: object = None) -> int:
        """Make a request; return its number in the journal."""
        fields = [("user-agent", "agency-directory/2.4"), ("accept", "application/json")]
        fields += [("authorization", f"Bearer {token}")] if token else []
        content = b"" if body is None else json.dumps(body).encode()
        fields += [("content-type", "application/json")] if content else []
        path, _, query = path.partition("?")
        request = Request(
            method=method, path=path, query=query, headers=tuple(fields), body=content,
            host=self.sandbox.base_url.partition("://")[2],
        )  # fmt: skip
        with contextlib.suppress(ConnectionFailure):
            self.server.tenants.default.handle(request)
        return self.sandbox.journal.seen

    def token(self) -> str:
        """Ask for a token."""
        client = self.sandbox.client
        body = {"clientId": client.client_id, "clientSecret": str(client.client_secret)}
        self.call("POST", "/v1/auth/jwt", body=body)
        newest = self.sandbox.tokens.newest
        return str(newest.text) if newest else ""


def play(server: StandaloneSandbox, receiver: LenientReceiver) -> dict[str, str]:
    """Let things happen; return what the paths of the pages need."""
    sandbox, client = server.sandbox, Client(server)
    sandbox.seed("small_agency")
    sandbox.clock.move_to(MOMENT)
    first = client.token()
    client.call("GET", "/v1/agents?page=1", first)
    policy = next(iter(sandbox.policies))
    client.call("GET", f"/v1/policies/{policy.id}", first)
    sandbox.clock.advance(dt.timedelta(minutes=21))
    agent = {
        "firstName": "Ada",
        "lastName": "Byron",
        "npn": "17649032",
        "email": "ada@west.example",
    }
    client.call("POST", "/v1/agents", first, agent)
    client.call("POST", "/v1/agents", first, {"firstName": "Ada"})
    client.call("GET", "/v1/agents/4f1c", first)
    sandbox.clock.move_to(MOMENT + LATE)
    client.call("GET", "/v1/agents?page=2", first)
    sandbox.clock.move_to(MOMENT + EXPIRED)
    refused = client.call("GET", "/v1/agents?page=3", first)
    second = client.token()
    client.call("GET", "/v1/agents?page=3", second)
    sandbox.tokens.issue(sandbox.client)
    sandbox.clock.advance(dt.timedelta(minutes=12))
    sandbox.faults.add("list_agents", status=503, times=2)
    client.call("GET", "/v1/agents?page=4", second)
    sandbox.faults.add("get_policy", error="reset", times=1)
    third = sandbox.tokens.issue(sandbox.client)
    sandbox.tokens.revoke(third)
    client.call("GET", "/v1/agents", third.text)
    client.call("GET", f"/v1/agents?access_token={second}")
    now = sandbox.clock.now()
    endpoint = sandbox.outbox.register(receiver.url, EVENT, now, "a-secret-of-the-example")
    sandbox.outbox.register("http://127.0.0.1:9/hooks", EVENT, now, "another-secret")
    for association in sandbox.associations:
        sandbox.execute_agreement(association)
    token = next(one for one in sandbox.tokens if str(one.text) == first)
    return {"refused": str(refused), "token": token.jti, "endpoint": endpoint.id}


def attack(page: Page) -> None:
    """Let some verdicts come."""
    page.get_by_role("button", name="Attack").click()
    page.locator("#verdicts tr").nth(6).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator("#progress .due").wait_for()


def shoot(
    browser: Browser, server: StandaloneSandbox, names: dict[str, str], everything: Path | None
) -> None:
    """Take the pictures of the documentation, or with a directory those of every page."""
    sizes, schemes = (WIDE, NARROW), ("light", "dark")
    wanted = set(product(PAGES, sizes, schemes)) if everything else DOCUMENTED
    place = everything or PLACE
    place.mkdir(exist_ok=True, parents=True)
    base = f"{server.base_url}/__sandbox__/page/default"
    for width in sizes:
        context = browser.new_context(viewport={"width": width, "height": 800})
        page = context.new_page()
        page.goto(server.base_url + "/__sandbox__/")
        if everything:
            page.screenshot(path=place / f"sign-in-{width}-light.png")
        page.goto(server.page_address())
        for name in dict.fromkeys(name for name, size, _ in sorted(wanted) if size == width):
            page.goto(f"{base}/{PAGES[name].format(**names)}")
            if name == "attack":
                attack(page)
            for scheme in schemes:
                if (name, width, scheme) in wanted:
                    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                    kind = f"-{width}-{scheme}" if everything else ""
                    page.screenshot(path=place / f"{name}{kind}.png")
        context.close()


def main() -> None:
    """Read the arguments, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="DIRECTORY")
    place = parser.parse_args().all
    options = Options(seed=11, webhook_debounce=dt.timedelta(0))
    with contextlib.closing(LenientReceiver()) as receiver, served(options) as server:
        names = play(server, receiver)
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            shoot(browser, server, names, place)
            browser.close()


if __name__ == "__main__":
    main()
