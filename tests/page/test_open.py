"""``turris-sandbox serve --open``: the browser of the user gets an address that signs it in."""

import http.client
import os
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from doubles.served_sandbox import serving


def test_browser_is_given_a_new_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another one than that which is printed; it leads into the page."""
    noted, browser = tmp_path / "address", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {noted}.part\nmv {noted}.part {noted}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("BROWSER", str(browser))
    with serving("--open") as running:
        while not noted.exists():
            assert running.process.poll() is None
            time.sleep(0.05)
        address = urlsplit(noted.read_text())
        base = urlsplit(running.variables["TURRIS_BASE_URL"])
        assert address.netloc == base.netloc
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        connection.request("GET", f"{address.path}?{address.query}")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["location"]) == (
            303,
            "/__sandbox__/page/default/overview",
        )
        connection.close()


def test_without_a_browser_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server goes on; the address is printed as always."""
    monkeypatch.setenv("BROWSER", os.devnull)
    monkeypatch.setenv("PATH", "/nowhere")
    with serving("--open") as running:
        assert running.variables["TURRIS_BASE_URL"]
        running.process.terminate()
        assert running.process.stderr
        assert "there is no browser here" in running.process.stderr.read()
