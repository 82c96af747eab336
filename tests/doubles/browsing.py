"""A real browser at the page: Debian's Chromium, by Playwright."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mock_server.serving.server import StandaloneSandbox
from pytest_turris.core.wire.messages import Request

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "page" / "node_modules" / "axe-core" / "axe.min.js"


def missing() -> str:
    """What there is not, and how to get it; empty if all is there."""
    if not shutil.which("chromium"):
        return "Chromium is missing: make system-packages"
    return "" if AXE.exists() else "axe-core is missing: make node-packages"


def require() -> None:
    """Skip, or fail if the environment says ``TURRIS_REQUIRE_ALL=1``."""
    if reason := missing():
        if os.environ.get("TURRIS_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


def call(server: StandaloneSandbox, path: str, token: object = "") -> int:
    """A request of a client; return its number."""
    path, _, query = path.partition("?")
    fields = (("authorization", f"Bearer {token}"),) if token else ()
    request = Request(method="GET", path=path, query=query, headers=fields, host="127.0.0.1")
    server.tenants.default.handle(request)
    return server.sandbox.journal.seen


_UNDER_WAY = ".htmx-request, .htmx-swapping, .htmx-settling"
"""What htmx loads or replaces at the moment."""


class Browsing:
    """A person with a browser, and what its console and its network tab have."""

    def __init__(self, server: StandaloneSandbox, page: "Page") -> None:
        self.server = server
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", lambda one: self._heard(one.type, one.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", self._asked)
        page.on("request", lambda request: self.hosts.add("/".join(request.url.split("/")[:3])))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def _asked(self, dialog: Any) -> None:  # noqa: ANN401 - of Playwright
        if dialog.type != "confirm":
            self.errors.append(f"a dialog: {dialog.message}")
        dialog.accept()

    def does(self, button: str, said: str) -> None:
        """Click a button by its name, and see what the line of notices says then.

        What changed is loaded anew meanwhile, with empty forms: a person is slower than that.
        """
        from playwright.sync_api import expect

        self.page.get_by_role("button", name=button, exact=True).first.click()
        expect(self.page.locator("#notice")).to_contain_text(said)
        expect(self.page.locator(_UNDER_WAY)).to_have_count(0)

    def copies(self, button: str) -> str:
        """What a button puts on the clipboard."""
        self.page.evaluate("navigator.clipboard.writeText('')")
        self.does(button, "Copied.")
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def open(self, path: str, tenant: str = "default") -> "Page":
        """Go to a page of a tenant."""
        self.page.goto(f"{self.server.base_url}/__sandbox__/page/{tenant}/{path}")
        return self.page

    def view(self, width: int, scheme: str) -> None:
        """Take another size and colour scheme."""
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def violations(self) -> list[str]:
        """What axe finds on the page as it is."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {json.dumps([node['html'][:200] for node in one['nodes'][:3]])}"
            for one in found["violations"]
        ]

    def is_wider_than_the_window(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@contextlib.contextmanager
def browsing(server: StandaloneSandbox) -> Iterator[Browsing]:
    """A browser that is signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1"],
        )
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.base_url)
        found = Browsing(server, context.new_page())
        found.page.set_default_timeout(60_000)
        found.page.goto(server.page_address())
        yield found
        browser.close()
