"""All passive rules, and what they find in the record of one test."""

from collections.abc import Iterator

from pytest_turris.audit.evidence import Evidence
from pytest_turris.audit.rules.repeats import REPEATS
from pytest_turris.audit.rules.rule import Look, PassiveRule
from pytest_turris.audit.rules.tokens import TOKENS
from pytest_turris.audit.rules.urls import PLACES
from pytest_turris.audit.rules.use import USE
from pytest_turris.audit.seen import SandboxRecord

PASSIVE_RULES: dict[str, PassiveRule] = {
    rule.check.id: rule
    for rule in sorted(
        (rule for family in (PLACES, TOKENS, REPEATS, USE) for rule in family),
        key=lambda rule: rule.check.id,
    )
}
"""All passive rules by id."""


def look_at(record: SandboxRecord, evidence: Evidence, ignored: frozenset[str]) -> None:
    """Add what the rules find.

    Args:
        record: What the sandbox of a test saw.
        evidence: The evidence of that test.
        ignored: The ids of rules that the test left out, with a reason.
    """
    for _ in looks_at(record, evidence, ignored):
        pass


def looks_at(
    record: SandboxRecord, evidence: Evidence, ignored: frozenset[str] = frozenset()
) -> Iterator[None]:
    """Add what the rules find, one at each step of the iterator; see ``look_at``."""
    if not record.seen:
        return
    for id_, rule in PASSIVE_RULES.items():
        if id_ not in ignored:
            look = Look(rule.check, record, evidence.test)
            rule.watch(look)
            evidence.note(id_, look.ran, look.spotted)
            yield
    _note_permissions(record, evidence)


def _note_permissions(record: SandboxRecord, evidence: Evidence) -> None:
    credentials = record.sandbox.credentials
    granted = {client.client_id: client.permissions for client in credentials}
    granted |= {one.name: one.permissions for one in credentials.restricted}
    used = {
        (seen.credential, seen.request.method)
        for seen in record.calls
        if seen.operation and seen.credential and not seen.refused
    }
    for credential, method in used:
        evidence.granted |= granted.get(credential, frozenset())
        evidence.used.add("read" if method == "GET" else "write")
