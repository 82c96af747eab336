"""Judges what the clients of a served sandbox did: their requests, their log, verdicts on them."""

from collections.abc import Collection, Iterable

from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.traces import Trace
from pytest_turris.audit.places import NOWHERE, Place
from pytest_turris.audit.rules.catalogue import looks_at
from pytest_turris.audit.rules.log import LogAudit, LogLine
from pytest_turris.audit.rules.logged import LoggedAnswers
from pytest_turris.audit.seen import SandboxRecord
from pytest_turris.audit.spellings import SecretForms, scrubbed, secrets_of
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict

_MOST_SPOTTED = 500
_NO_MORE = object()


class RequestJudgement:
    """What some requests show, asked one rule at a time: all at once, the next client would wait.

    Args:
        record: The requests.
        name: What stands for the test.
    """

    def __init__(self, record: SandboxRecord, name: str) -> None:
        self._sandbox = record.sandbox
        self._found = Evidence(test=name)
        self._rules = looks_at(record, self._found)

    def ask_next(self) -> bool:
        """Ask a rule; return whether there was one."""
        return next(self._rules, _NO_MORE) is not _NO_MORE

    def result(self, known: Collection[str]) -> Evidence:
        """Ask all rules that are left; return what was found, without a secret in any spelling.

        Args:
            known: The fingerprints of mistakes that need not be shown once more.
        """
        while self.ask_next():
            pass
        # A client that repeats a mistake must not delay its server: looking for each spelling of a
        # thousand tokens takes as long as the thousand requests.
        spotted = _first_of_each(self._found.spotted)
        self._found.spotted = [one for one in spotted if one.fingerprint not in known]
        return _clean(self._found, self._sandbox)


def judge_verdict(verdict: Verdict, sandbox: Sandbox, name: str) -> Evidence:
    """What an attack or a drill shows, without a secret in any spelling."""
    found = Evidence(test=name)
    found.note_verdict(verdict, Place(path="", line=0))
    return _clean(found, sandbox)


class LogJudgement:
    """What a log shows about some requests.

    Args:
        record: The requests that it has to have.
        name: What stands for the test.
    """

    def __init__(self, record: SandboxRecord, name: str) -> None:
        self._record = record
        self._name = name
        self._secrets = secrets_of(record.sandbox)

    def read(self, text: str) -> Evidence:
        """Compare the log; return what was found, without a secret in any spelling.

        Args:
            text: The log, a line for each of its records.
        """
        found, record = Evidence(test=self._name), self._record
        if not record.seen:
            return found
        lines = [line for line in text.split("\n") if line.strip()]
        records = [LogLine(line, line, NOWHERE) for line in lines]
        traces = [Trace("LK-01", line, NOWHERE) for line in lines]
        forms = SecretForms(self._secrets)
        LogAudit(found, record, records, forms, record.finder).judge()
        LoggedAnswers(found, record, traces, record.finder).judge(frozenset())
        return _without_secrets(found, forms)


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
    return _without_secrets(found, SecretForms(secrets_of(sandbox))) if found.spotted else found


def _without_secrets(found: Evidence, forms: SecretForms) -> Evidence:
    return Evidence.of_json(scrubbed(forms, found.as_json()))
