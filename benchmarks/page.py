"""The page with 10,000 exchanges, in Chromium: first paint, a new exchange, a filter; the stream.

Medians of what a person waits for. The last line compares the server's CPU seconds per request
with one open event stream, read by a plain client, and without.
"""

import http.client
import shutil
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from doubles.served_here import served
from doubles.visitor import PAGE, Visitor
from playwright.sync_api import Page, sync_playwright

from mock_server.serving.server import StandaloneSandbox
from pytest_turris.core.options import Options
from pytest_turris.core.wire.messages import Request

EXCHANGES = 10_000
TIMES = 9
REQUESTS = 3_000
PAINT = """() => new Promise(done => new PerformanceObserver(list => {
  for (const one of list.getEntriesByName('first-contentful-paint')) done(one.startTime);
}).observe({type: 'paint', buffered: true}))"""
# The browser itself notes when the row is there; asking it again and again would cost more.
SEEN = """path => new Promise(done => {
  const rows = () => [...document.querySelectorAll('#rows tr')];
  const look = () => rows().some(row => row.textContent.includes(path));
  if (look()) return done(Date.now());
  new MutationObserver((_, o) => { if (look()) { o.disconnect(); done(Date.now()); } })
    .observe(document.querySelector('#rows'), {childList: true});
})"""
FILTERED = """text => new Promise(done => {
  const start = performance.now(), box = document.querySelector('#q-text');
  const end = () => done(performance.now() - start);
  document.body.addEventListener('htmx:afterSettle', end, {once: true});
  box.value = text; box.dispatchEvent(new Event('input', {bubbles: true}));
})"""


def call(server: StandaloneSandbox, path: str) -> None:
    """A request that a client made."""
    server.tenants.default.handle(Request(method="GET", path=path, host="127.0.0.1"))


def first_paint(page: Page, url: str) -> float:
    page.goto(url)
    return float(page.evaluate(PAINT))


def shown(server: StandaloneSandbox, page: Page, number: int) -> float:
    """Milliseconds from a request to its row."""
    started: list[float] = []

    def later() -> None:
        time.sleep(0.05)
        started.append(time.monotonic())
        call(server, f"/v1/new-{number}")

    thread = threading.Thread(target=later)
    thread.start()
    page.evaluate(SEEN, f"/v1/new-{number}")
    ended = time.monotonic()
    thread.join()
    return (ended - started[0]) * 1_000


@contextmanager
def stream(visitor: Visitor) -> Iterator[None]:
    """One open event stream, read by a thread."""
    address = urlsplit(visitor.server.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    headers = {"Cookie": visitor.cookie, "Accept": "text/event-stream"}
    connection.request("GET", f"{PAGE}/default/requests/stream", headers=headers)
    answer = connection.getresponse()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set() and answer.read1(65_536):
            pass

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    yield
    ended.set()
    call(visitor.server, "/v1/last")
    thread.join(5)
    connection.close()


def cpu_per_request(visitor: Visitor) -> float:
    """CPU seconds of this process for each request over the socket."""
    address = urlsplit(visitor.server.base_url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port)
    before = time.process_time()
    for _ in range(REQUESTS):
        connection.request("GET", "/v1/agents")
        connection.getresponse().read()
    connection.close()
    return (time.process_time() - before) / REQUESTS


def main() -> None:
    with served(Options(journal_limit=EXCHANGES)) as server:
        for number in range(EXCHANGES):
            call(server, f"/v1/agents?page={number}")
        in_browser(server)
        visitor = Visitor(server).signed_in()
        cpu_per_request(visitor)
        without, with_one = [], []
        for _ in range(5):
            without.append(cpu_per_request(visitor))
            with stream(visitor):
                with_one.append(cpu_per_request(visitor))
        ratio = statistics.median(b / a for a, b in zip(without, with_one, strict=True))
        print(f"one open stream: {ratio:.2f}x CPU per request (limit 1.1)")


def in_browser(server: StandaloneSandbox) -> None:
    """What a person waits for."""
    url = f"{server.base_url}{PAGE}/default/requests"
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(server.page_address())
        paints = [first_paint(page, url) for _ in range(TIMES)]
        page.wait_for_selector("#live.live")
        rows = [shown(server, page, number) for number in range(TIMES)]
        filters = [float(page.evaluate(FILTERED, f"page={n}")) for n in range(1, TIMES + 1)]
        browser.close()
    for words, found, limit in (
        ("first paint", paints, 300),
        ("a new exchange shown", rows, 200),
        ("a filter", filters, 150),
    ):
        print(f"{words}: {statistics.median(found):.0f} ms (limit {limit})")


if __name__ == "__main__":
    main()
