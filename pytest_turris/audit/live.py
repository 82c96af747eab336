"""The audit of a sandbox that serves: what its clients showed so far, in bounded memory.

What judges is imported when it judges: a server notes its first request soon after its start.
"""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_turris.audit.places import CallSite, Place, PlaceFinder
from pytest_turris.audit.seen import SandboxRecord, SeenRequest
from pytest_turris.core.journal.bounds import short_request
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

if TYPE_CHECKING:
    from pytest_turris.audit.drills.served import DrillName, ServedDrill
    from pytest_turris.audit.evidence import Evidence
    from pytest_turris.audit.judging import LogJudgement, RequestJudgement
    from pytest_turris.findings.verdict import Verdict

_LONGEST_BODY = 16_384
_REDIRECTION = 300
_BETWEEN = 16
"""Requests between two rules of a judgement: a busy server answers no client much later for it."""


class _ServedRecord(SandboxRecord):
    """Requests of other processes: their place is the operation."""

    def place(self, seen: SeenRequest) -> Place:
        """The operation that was called, which is all that is known about the caller."""
        return Place(path="", line=0, symbol=seen.operation or "no operation")


class LiveAudit:
    """What the requests to one sandbox show about the checklist.

    All methods are called under the sandbox's lock; only what ``begin_log`` returns needs none.

    Args:
        sandbox: The sandbox; each of its exchanges is noted from now on.
        name: What stands for the test in the evidence, such as the tenant's name.
        window: Returns how many requests to keep, before they are judged.
    """

    def __init__(self, sandbox: Sandbox, name: str, window: Callable[[], int]) -> None:
        self._name = name
        self._window = window
        self._room = window()
        """What ``window`` returned last; it is asked now and then."""
        self._judged: Evidence | None = None
        self._judgement: RequestJudgement | None = None
        """Of the requests before those in the record, while rules are left to be asked."""
        self._call = CallSite(None, 0, 0)  # nothing is known but the step
        self._drill: ServedDrill | None = None
        self._has_worked = False
        self.requests: int = 0
        """How many requests were noted."""
        self._record = _ServedRecord(
            sandbox,
            test=None,
            here=Place(path="", line=0),
            finder=PlaceFinder(Path()),
            sent_from=lambda _: self._call,
        )
        self._listen: Callable[[Request, Response | None, dict[str, Any]], object] = (
            self._record.observe
        )
        sandbox.journal.observer = self.observe

    def step(self) -> None:
        """Note that a test changed the sandbox: what comes now is another call of that test.

        So a client that repeats itself is not confused with a test that makes a call twice.
        """
        self._call = CallSite(None, 0, self._call.step + 1)

    def cut(self) -> None:
        """Judge what was seen: from now on the sandbox is another, as after a reset."""
        self._judged = self.evidence()
        self._record.seen.clear()

    def _begin_judging(self) -> None:
        """Judge what was seen, while further requests come."""
        self._end_judging()
        self._judgement = self._judgement_of_seen()
        self._record.seen = []

    def _judgement_of_seen(self) -> "RequestJudgement":
        """A judgement of the requests in the record, whatever comes later."""
        from pytest_turris.audit.judging import RequestJudgement  # noqa: PLC0415 - see the module

        return RequestJudgement(copy(self._record), self._name)

    def _end_judging(self) -> None:
        """Keep what the judgement that is under way shows."""
        if self._judgement:
            judgement, self._judgement = self._judgement, None
            self._judged = self._with(judgement.result(self._known()))

    def _known(self) -> frozenset[str]:
        found = self._judged.spotted if self._judged else ()
        return frozenset(one.fingerprint for one in found)

    def clear(self) -> int:
        """Forget everything; how many requests that was."""
        forgotten, self.requests = self.requests, 0
        self._judged = self._judgement = None
        self._record.seen.clear()
        return forgotten

    def evidence(self) -> "Evidence":
        """All that was shown so far, without a secret in any spelling."""
        self._end_judging()
        return self._with(self._judgement_of_seen().result(self._known()))

    def note_verdict(self, verdict: "Verdict") -> None:
        """Add what an attack or a drill has shown."""
        from pytest_turris.audit.judging import judge_verdict  # noqa: PLC0415 - see the module

        self._judged = self._with(judge_verdict(verdict, self._record.sandbox, self._name))

    def begin_drill(self, name: "DrillName") -> None:
        """Begin a drill: rotate or revoke the credentials, or count the writes.

        Args:
            name: Which one.

        Raises:
            DrillError: No call with a token was answered yet: a drill needs a client that works.
        """
        from pytest_turris.audit.drills.served import (  # noqa: PLC0415 - see the module
            DrillError,
            ServedDrill,
        )

        if not self._has_worked:
            raise DrillError("let the client make a call first: a drill needs one that works")
        self._drill = ServedDrill(name)
        self._drill.begin(self._record.sandbox)

    def end_drill(self, *, failed: bool) -> "Verdict":
        """Judge the drill that has begun; its verdict is part of the evidence.

        Args:
            failed: Whether the client's call ended with an error.

        Raises:
            DrillError: None has begun.
        """
        from pytest_turris.audit.drills.served import DrillError  # noqa: PLC0415 - see the module

        if self._drill is None:
            raise DrillError("no drill has begun: begin one first")
        limit = self._record.sandbox.options.writes_per_minute
        verdict, self._drill = self._drill.judge(failed=failed, limit=limit), None
        self.note_verdict(verdict)
        return verdict

    def begin_log(self) -> "LogJudgement":
        """What compares a log with the requests since the last one; to read it needs no lock."""
        from pytest_turris.audit.judging import LogJudgement  # noqa: PLC0415 - see the module

        judgement = LogJudgement(copy(self._record), self._name)
        self._begin_judging()
        return judgement

    def add(self, found: "Evidence") -> None:
        """Keep what a log has shown."""
        self._judged = self._with(found)

    def _with(self, found: "Evidence") -> "Evidence":
        """What was judged before, and this."""
        from pytest_turris.audit.judging import joined  # noqa: PLC0415 - see the module

        return joined(self._judged or type(found)(test=self._name), found)

    def observe(self, request: Request, response: Response | None, facts: dict[str, Any]) -> None:
        """Note one exchange."""
        self.requests += 1
        if self.requests % _BETWEEN == 0:
            self._room = self._window()
            if self._judgement and not self._judgement.ask_next():
                self._end_judging()
        if len(self._record.seen) >= self._room:
            self._begin_judging()
        if facts["token_id"] and facts["status"] < _REDIRECTION:
            self._has_worked = True
        if self._drill:
            self._drill.observe(request, facts)
        self._listen(short_request(request, _LONGEST_BODY), response, facts)


class GoneAudits:
    """What sandboxes that are gone had shown, in bounded memory: a test deletes its own."""

    def __init__(self) -> None:
        from pytest_turris.audit.evidence import Evidence  # noqa: PLC0415 - see the module

        self.requests: int = 0
        self.evidence: Evidence = Evidence(test="tenants that are gone")

    def add(self, audit: LiveAudit) -> None:
        """Keep what a sandbox has shown."""
        from pytest_turris.audit.judging import joined  # noqa: PLC0415 - see the module

        self.requests += audit.requests
        self.evidence = joined(self.evidence, audit.evidence())

    def clear(self) -> int:
        """Forget it; how many requests that was."""
        forgotten, self.requests = self.requests, 0
        self.evidence = type(self.evidence)(test=self.evidence.test)
        return forgotten
