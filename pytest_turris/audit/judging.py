"""Judges what the clients of a served sandbox did: their requests, their log, verdicts on them."""

from collections.abc import Collection, Iterable

from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.traces import Trace
from pytest_turris.audit.places import NOWHERE, Place
from pytest_turris.audit.rules.catalogue import look_at
from pytest_turris.audit.rules.log import LogAudit, LogLine
from pytest_turris.audit.rules.logged import LoggedAnswers
from pytest_turris.audit.seen import SandboxRecord
from pytest_turris.audit.spellings import SecretForms, scrubbed, secrets_of
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict

_MOST_SPOTTED = 500


def judge_requests(record: SandboxRecord, name: str, known: Collection[str]) -> Evidence:
    """What the requests show, without a secret in any spelling.

    Args:
        record: The requests.
        name: What stands for the test.
        known: The fingerprints of mistakes that need not be shown once more.
    """
    found = Evidence(test=name)
    look_at(record, found, frozenset())
    # A client that repeats a mistake must not delay its server: looking for each spelling of a
    # thousand tokens takes as long as the thousand requests.
    found.spotted = [one for one in _first_of_each(found.spotted) if one.fingerprint not in known]
    return _clean(found, record.sandbox)


def judge_verdict(verdict: Verdict, sandbox: Sandbox, name: str) -> Evidence:
    """What an attack or a drill shows, without a secret in any spelling."""
    found = Evidence(test=name)
    found.note_verdict(verdict, Place(path=""))
    return _clean(found, sandbox)


def judge_log(record: SandboxRecord, name: str, text: str) -> Evidence:
    """What a log shows about the requests, without a secret in any spelling.

    Args:
        record: The requests that it has to have.
        name: What stands for the test.
        text: The log, a line for each of its records.
    """
    found = Evidence(test=name)
    if not record.seen:
        return found
    lines = [line for line in text.split("\n") if line.strip()]
    records = [LogLine(line, line, NOWHERE) for line in lines]
    traces = [Trace("LK-01", line, NOWHERE) for line in lines]
    forms = SecretForms(secrets_of(record.sandbox))
    LogAudit(found, record, records, forms, record.finder).judge()
    LoggedAnswers(found, record, traces, record.finder).judge(frozenset())
    return _clean(found, record.sandbox)


def joined(before: Evidence, after: Evidence) -> Evidence:
    """What two parts of a run show together, under the name of the first."""
    ran = dict(before.ran)
    for check, times in after.ran.items():
        ran[check] = ran.get(check, 0) + times
    return Evidence(
        test=before.test,
        ran=ran,
        spotted=_first_of_each((*before.spotted, *after.spotted))[:_MOST_SPOTTED],
        granted=before.granted | after.granted,
        used=before.used | after.used,
    )


def _first_of_each(spotted: Iterable[Spotted]) -> list[Spotted]:
    """Each mistake once, as it was seen first: one that is repeated must not fill the memory."""
    once: dict[str, Spotted] = {}
    for one in spotted:
        once.setdefault(one.fingerprint, one)
    return sorted(once.values(), key=lambda one: one.numbers)


def _clean(found: Evidence, sandbox: Sandbox) -> Evidence:
    if not found.spotted:
        return found
    forms = SecretForms(secrets_of(sandbox))
    return Evidence.of_json(scrubbed(forms, found.as_json()))
