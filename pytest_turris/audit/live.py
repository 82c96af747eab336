"""The audit of a sandbox that serves: what its clients showed so far, in bounded memory.

What judges is imported when it judges: a server notes its first request soon after its start.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_turris.audit.places import CallSite, Place, PlaceFinder
from pytest_turris.audit.seen import SandboxRecord, SeenRequest
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request, Response

if TYPE_CHECKING:
    from pytest_turris.audit.evidence import Evidence, Spotted

_LONGEST_BODY = 16_384
_MOST_SPOTTED = 500


class _ServedRecord(SandboxRecord):
    """Requests of other processes: their place is the operation."""

    def place(self, seen: SeenRequest) -> Place:
        """The operation that was called, which is all that is known about the caller."""
        return Place(path="", symbol=seen.operation or "no operation")


class LiveAudit:
    """What the requests to one sandbox show about the checklist.

    All methods are called under the sandbox's lock.

    Args:
        sandbox: The sandbox; each of its exchanges is noted from now on.
        name: What stands for the test in the evidence, such as the tenant's name.
        window: Returns how many requests to keep, before they are judged.
    """

    def __init__(self, sandbox: Sandbox, name: str, window: Callable[[], int]) -> None:
        self._name = name
        self._window = window
        self._judged: Evidence | None = None
        self._steps = 0
        self.requests: int = 0
        """How many requests were noted."""
        self._record = _ServedRecord(
            sandbox,
            test=None,
            here=Place(path=""),
            finder=PlaceFinder(Path()),
            sent_from=lambda _: CallSite(None, 0, self._steps),
        )
        self._listen: Callable[[Request, Response | None, dict[str, Any]], object] = (
            self._record.observe
        )
        sandbox.journal.observer = self.observe

    def step(self) -> None:
        """Note that a test changed the sandbox: what comes now is another call of that test.

        So a client that repeats itself is not confused with a test that makes a call twice.
        """
        self._steps += 1

    def cut(self) -> None:
        """Judge what was seen: from now on the sandbox is another, as after a reset."""
        self._judged = self.evidence()
        self._record.seen.clear()

    def clear(self) -> int:
        """Forget everything; how many requests that was."""
        forgotten, self.requests = self.requests, 0
        self._judged = None
        self._record.seen.clear()
        return forgotten

    def evidence(self) -> "Evidence":
        """All that was shown so far, without a secret in any spelling."""
        from pytest_turris.audit.evidence import Evidence  # noqa: PLC0415 - see the module
        from pytest_turris.audit.rules.catalogue import look_at  # noqa: PLC0415 - as above
        from pytest_turris.audit.spellings import (  # noqa: PLC0415 - as above
            SecretForms,
            scrubbed,
            secrets_of,
        )

        found = Evidence(test=self._name)
        look_at(self._record, found, frozenset())
        judged = self._judged or Evidence(test=self._name)
        # A client that repeats a mistake must not delay its server: looking for each spelling of
        # a thousand tokens takes as long as the thousand requests.
        known = {one.fingerprint for one in judged.spotted}
        found.spotted = [
            one for one in _first_of_each(found.spotted) if one.fingerprint not in known
        ]
        if found.spotted:
            forms = SecretForms(secrets_of(self._record.sandbox))
            found = Evidence.of_json(scrubbed(forms, found.as_json()))
        return _joined(judged, found)

    def observe(self, request: Request, response: Response | None, facts: dict[str, Any]) -> None:
        """Note one exchange."""
        if len(self._record.seen) >= self._window():
            self.cut()
        self.requests += 1
        self._listen(_short(request), response, facts)


class GoneAudits:
    """What sandboxes that are gone had shown, in bounded memory: a test deletes its own."""

    def __init__(self) -> None:
        from pytest_turris.audit.evidence import Evidence  # noqa: PLC0415 - see the module

        self.requests: int = 0
        self.evidence: Evidence = Evidence(test="tenants that are gone")

    def add(self, audit: LiveAudit) -> None:
        """Keep what a sandbox has shown."""
        self.requests += audit.requests
        self.evidence = _joined(self.evidence, audit.evidence())

    def clear(self) -> int:
        """Forget it; how many requests that was."""
        forgotten, self.requests = self.requests, 0
        self.evidence = type(self.evidence)(test=self.evidence.test)
        return forgotten


def _short(request: Request) -> Request:
    """A request with the beginning of a long body; two different ones stay different."""
    body = request.body
    if len(body) <= _LONGEST_BODY:
        return request
    return replace(request, body=body[:_LONGEST_BODY] + hashlib.sha256(body).digest())


def _joined(before: "Evidence", after: "Evidence") -> "Evidence":
    ran = dict(before.ran)
    for check, times in after.ran.items():
        ran[check] = ran.get(check, 0) + times
    return type(after)(
        test=before.test,
        ran=ran,
        spotted=_first_of_each((*before.spotted, *after.spotted))[:_MOST_SPOTTED],
        granted=before.granted | after.granted,
        used=before.used | after.used,
    )


def _first_of_each(spotted: Iterable["Spotted"]) -> "list[Spotted]":
    """Each mistake once, as it was seen first: one that is repeated must not fill the memory."""
    once: dict[str, Spotted] = {}
    for one in spotted:
        once.setdefault(one.fingerprint, one)
    return sorted(once.values(), key=lambda one: one.numbers)
