"""Whatever a client, a receiver or a file fills in is shown as text, on every page."""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from doubles.hostile_data import CORPUS, HOSTILE, fill
from doubles.lenient_receiver import LenientReceiver
from doubles.visitor import Visitor

PATHS = (
    "overview", "requests", "tokens", "data", "data/agents", "data/associations", "data/documents",
    "webhooks", "faults", "checklist", "form/clock/advance?by={}", "requests?text={}&operation={}",
    "data/agents?npn={}&firstName={}", "form/{}/{}", "tokens/{}", "data/{}", "webhooks/event/{}",
)  # fmt: skip


class Elements(HTMLParser):
    """The names of all elements, and of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets |= {value or "" for name, value in attrs if name in ("href", "src", "hx-get")}


def check(html: str) -> None:
    """No element, attribute or link of the corpus is one of the page."""
    elements = Elements()
    elements.feed(html)
    assert not [name for name in elements.names if name.startswith("xss-")]
    assert not [name for name in elements.attributes if name.startswith("on")]
    # An empty one asks for the page itself.
    assert all(not to or to.startswith(("/", "#")) for to in elements.targets), elements.targets
    assert "49{%" not in html


@pytest.fixture(scope="module")
def filled(visitor: Visitor) -> Visitor:
    """A sandbox whose every field is hostile."""
    fill(visitor)
    return visitor


@pytest.mark.parametrize("path", PATHS)
def test_page(filled: Visitor, path: str) -> None:
    """With hostile data, and with hostile parameters."""
    for text in CORPUS if "{" in path else ("",):
        seen = filled.get(path.replace("{}", quote(text, safe="")))
        assert seen.status < 500
        check(seen.text)


def test_details(filled: Visitor) -> None:
    """Every request, record, delivery, form and copy."""
    assert len(filled.sandbox.journal) == 9
    for exchange in filled.sandbox.journal:
        check(filled.get(f"requests/{exchange.number}").text)
    for noun in ("agents", "associations"):
        page = filled.get(f"data/{noun}").text
        for key in re.findall(rf'hx-get="[^"]*/data/{noun}/([^"]+)"', page):
            check(filled.get(f"data/{noun}/{key}").text)
            check(filled.get(f"form/{noun}/update?id={key}").text)


def test_what_a_person_enters(filled: Visitor) -> None:
    """It comes back as text in the form, with what is wrong."""
    for text in CORPUS:
        check(filled.do("faults add", operation=text, status=text, headers=text).text)
        check(filled.do("tenants create", name=text).text)
        check(filled.post("do/clock/advance", by=text, done=text).text)
        check(filled.post("do/clock/advance", by="0", done=text).text)


def test_what_a_receiver_answers(filled: Visitor) -> None:
    """In attempts and in verdicts."""
    receiver = LenientReceiver()
    filled.do("webhooks register", url=receiver.url, event="PRODUCER_AGREEMENT_EXECUTED")
    endpoint = list(filled.sandbox.outbox.endpoints)[-1]
    filled.post("do/webhooks/test", id=endpoint.id)
    check(filled.get("webhooks").text)
    for delivery in filled.sandbox.outbox:
        check(filled.get(f"webhooks/deliveries/{delivery.number}").text)
    check(filled.get(f"webhooks/{endpoint.id}/attack").text)
    check(filled.post(f"webhooks/{endpoint.id}/attack/0", attack="WH-02", profile=HOSTILE).text)
    receiver.close()


def test_the_check_finds_what_is_not_escaped() -> None:
    """Each entry of the corpus, if it were put into a page as it is."""
    for text in (*CORPUS[:3], *CORPUS[5:]):
        with pytest.raises(AssertionError):
            check(f'<p title="">{text}</p>')
    with pytest.raises(AssertionError):
        check(f'<a href="{CORPUS[3]}">')
