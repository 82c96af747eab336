"""The checklist holds every bullet of the vendor's page, and only checks that there are."""

import datetime as dt
from dataclasses import replace

import pytest

from pytest_turris.audit.assessment import RunFacts, assess
from pytest_turris.audit.checklist import CHECKLIST, ChecklistLine
from pytest_turris.audit.checks import KINDS, OWN
from pytest_turris.audit.declarations import Declarations
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.families import all_checks
from pytest_turris.audit.places import Place
from pytest_turris.conformance.errors import EXPIRED_TOKEN
from pytest_turris.findings.verdict import Finding

BULLETS = {
    "Credential Protection": (
        "never expose in frontend", "store in env or secrets manager", "rotate",
        "separate per environment",
    ),
    "Token Management": (
        "store securely", "expiration", "never as URL parameters", "cache on the server",
        "refresh: elapsed > TTL - buffer",
    ),
    "Request Security": ("HTTPS", "validate input", "error handling", "webhook signatures"),
    "Access Control": ("limit access", "least privilege", "monitor and audit", "revoke"),
    "Data Protection": ("minimise data", "retention", "regulation", "secure channels for sharing"),
    "Network Security": ("IP allowlist", "rate limiting on your end", "log all requests"),
    "Checklist": (
        "env or secrets manager", "no secrets in frontend", "HTTPS", "refresh before expiration",
        "webhook signatures", "log and monitor", "rotate",
    ),
}  # fmt: skip
"""The bullets of docs.turrisfi.com/guides/security, in short words, in their order."""

_TELLING = (
    "frontend", "environment or a secrets", "rotated", "separate", "stored", "expiry", "URL",
    "cached", "lifetime less the buffer", "HTTPS", "validated", "Errors", "signatures",
    "Only those", "privilege", "audited", "revoked", "Little", "policy", "regulation",
    "secure channels", "allowlist", "own rate", "logged", "secrets manager", "frontend", "HTTPS",
    "refreshed", "signatures", "logged and monitored", "rotated",
)  # fmt: skip
"""For each bullet, in the same order, a word that its entry has."""


def test_each_bullet_has_its_entry_in_the_order_of_the_page() -> None:
    """No bullet is left out, and no entry is made up."""
    sections = [section for section, bullets in BULLETS.items() for _ in bullets]
    assert [line.section for line in CHECKLIST.values()] == sections
    for line, word in zip(CHECKLIST.values(), _TELLING, strict=True):
        assert word in line.words


def test_ids_are_stable() -> None:
    """Bullets are SEC-01 and so on, lines of the page's own checklist SEC-31 and so on."""
    assert list(CHECKLIST) == [f"SEC-{n:02d}" for n in (*range(1, 25), *range(31, 38))]


@pytest.mark.parametrize("line", CHECKLIST.values(), ids=lambda line: line.id)
def test_a_line_says_what_would_prove_it(line: ChecklistLine) -> None:
    """It names known checks, or the lines that it repeats; what no test can show needs a person."""
    assert set(line.checks) <= set(all_checks())
    assert bool(line.repeats) != bool(line.next_step)
    assert set(line.repeats) <= set(CHECKLIST)
    assert bool(line.proofs) == (line.kind != "process" and not line.repeats)


def test_each_own_check_begins_as_its_kind() -> None:
    """So a marker may name checks of several wings."""
    assert all(id_.startswith(KINDS) for id_ in OWN)


def test_most_checks_are_part_of_a_line() -> None:
    """What the vendor's page does not ask for is told all the same."""
    used = {check for line in CHECKLIST.values() for check in line.checks}
    beyond = set(OWN) - used
    assert beyond == {"RQ-15", "RQ-17"}


def test_an_expired_token_breaks_its_lines_whatever_check_saw_it() -> None:
    """A hostile answer that saw one is enough, although the rule about the expiry held."""
    got = "an expired token was sent"
    finding = Finding(level="must", sent="", got=got, expected="none", kind=EXPIRED_TOKEN)
    place = Place(path="test_it.py")
    states = {}
    for kind in (EXPIRED_TOKEN, ""):
        spotted = Spotted(check="AR-05", finding=replace(finding, kind=kind), place=place)
        shown = Evidence(test="t", ran={"TC-06": 1, "AR-05": 1}, spotted=[spotted])
        at = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
        assessed = assess([shown], Declarations(), RunFacts(), at, here="pyproject.toml")
        states[kind] = {state.line.id: state.status for state in assessed.lines}
    assert (states[""]["SEC-06"], states[EXPIRED_TOKEN]["SEC-06"]) == ("proven", "violated")
    assert states[EXPIRED_TOKEN]["SEC-34"] == "violated"
