"""Searches everything that left the application for secrets, and reports where they are."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.leaks.checks import LEAKS
from pytest_turris.audit.leaks.traces import LeakTraces, Trace
from pytest_turris.audit.places import CallSite, Place, PlaceFinder
from pytest_turris.audit.spellings import SecretForms
from pytest_turris.findings.verdict import Finding

_CHECKS = {check.id: check for check in LEAKS}
_OTHERS = 0o077
_READ = 1_048_576
_AT_MOST = 40


class LeakSearch:
    """What the traces of one test show.

    Args:
        evidence: Gets the findings.
        forms: The secrets of the test's sandboxes.
        finder: Makes places of calls.
        here: The test's line.
        of_test: Whether a source file is the test's own: it writes on purpose.
    """

    def __init__(
        self,
        evidence: Evidence,
        forms: SecretForms,
        finder: PlaceFinder,
        here: Place,
        of_test: Iterable[str],
    ) -> None:
        self._evidence = evidence
        self._forms = forms
        self._finder = finder
        self._here = here
        self._of_test = frozenset(of_test)

    def search(
        self, traces: LeakTraces, own: frozenset[int | str], blind: Mapping[str, str]
    ) -> None:
        """Look through all that left the application.

        Args:
            traces: What left it.
            own: The ports from which the sandbox got requests, and the hosts at which it got them
                over a socket: these are not other hosts.
            blind: Why a channel is blind; a check of such a channel can only find, not hold.
        """
        by_check: dict[str, list[Trace]] = {}
        for trace in traces.texts:
            # What is encrypted in memory, or sent by a client library, has a host and no port.
            if trace.check != "LK-08" or own.isdisjoint((trace.port, trace.name)):
                by_check.setdefault(trace.check, []).append(trace)
        for check, texts in by_check.items():
            whole = "\n".join(trace.text for trace in texts)
            found = self._forms.find(whole)
            spotted = [self._spot(trace) for trace in texts if found and self._leaks(trace)]
            self._note(check, 0 if blind.get(check) else len(texts), spotted)
        self._files(traces)

    def text(self, check: str, text: str, name: str = "") -> None:
        """Look through one text whose author is not known."""
        trace = Trace(check, text, CallSite(None, 0, -1), name)
        self._note(check, 1, [self._spot(trace)] if self._forms.find(text) else [])

    def _note(self, check: str, times: int, spotted: list[Spotted]) -> None:
        # Of several taps that saw the same, the first one knows most.
        once = {one.fingerprint: one for one in reversed(spotted)}
        self._evidence.note(check, times, list(once.values())[::-1][:_AT_MOST])

    def _leaks(self, trace: Trace) -> bool:
        # What the test itself logs or prints says nothing about the application.
        code = trace.call.code
        if code is not None and code.co_filename in self._of_test and trace.check != "LK-04":
            return False
        return bool(self._forms.find(trace.text))

    def _files(self, traces: LeakTraces) -> None:
        times, spotted = 0, []
        for name, call in (traces.opened.calls | traces.renamed.calls).items():
            code = call.code
            if code is None or code.co_filename in self._of_test:
                continue
            content, mode = _file(name)
            if content is None:
                continue
            times += 1
            kind = self._forms.find(content)
            if kind and mode & _OTHERS:
                got = f"{kind} in {Path(name).name}, which has the mode {mode & 0o777:04o}"
                spotted.append(self._spotted("LK-06", got, call, kind))
        self._note("LK-06", times, spotted)

    def _spot(self, trace: Trace) -> Spotted:
        kind = self._forms.find(trace.text)
        where = f" of {trace.name}" if trace.name else ""
        got = f"{kind} {_WHERE[trace.check]}{where}"
        return self._spotted(trace.check, got, trace.call, kind)

    def _spotted(self, check_id: str, got: str, call: CallSite, kind: str) -> Spotted:
        check = _CHECKS[check_id]
        finding = Finding(
            level=check.level, sent="", got=got, expected="no secret there, in any encoding",
            kind=kind, why=check.why, fix=check.fix,
        )  # fmt: skip
        place = self._finder.place(call, self._here)
        return Spotted(check=check_id, finding=finding, place=place, test=self._evidence.test)


_WHERE = {
    "LK-01": "in a log record",
    "LK-02": "in printed output",
    "LK-03": "in a warning",
    "LK-04": "in an exception",
    "LK-05": "in the repr",
    "LK-07": "in the arguments",
    "LK-08": "in what was sent to another host by way",
    "LK-09": "in the captured output",
}


def _file(name: str) -> tuple[str | None, int]:
    """The beginning of a file, and its mode; None if it is gone, or no file."""
    path = Path(name)
    try:
        if not path.is_file():
            return None, 0
        with path.open("rb") as file:
            return file.read(_READ).decode("latin-1"), path.stat().st_mode
    except OSError:
        return None, 0
