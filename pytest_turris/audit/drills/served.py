"""Drills of a client in another process: a test begins one, lets its client call, and ends it."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_turris.audit.drills.calls import drill_finding, revocation_verdict
from pytest_turris.audit.families import check_of
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.middleware.allowance import WINDOW
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.messages import Request
from pytest_turris.findings.check import Check
from pytest_turris.findings.verdict import Finding, Verdict

DrillName = Literal["rotation", "revocation", "rate"]

_SUCCESS = range(200, 300)
_CHECKS: dict[DrillName, str] = {"rotation": "DR-1", "revocation": "DR-2", "rate": "TC-40"}


class DrillError(TurrisKitError):
    """A drill cannot begin, or none has begun."""


@dataclass
class ServedDrill:
    """One drill, from its beginning on.

    Args:
        name: Which one.
    """

    name: DrillName
    _requests: int = 0
    _tokens: int = 0
    _succeeded: bool = False
    _writes: list[dt.datetime] = field(default_factory=list)

    @property
    def check(self) -> Check:
        """The check that it is about."""
        return check_of(_CHECKS[self.name])

    def begin(self, sandbox: Sandbox) -> None:
        """Change the credentials, if the drill is about them."""
        if self.name == "rotation":
            sandbox.credentials.rotate(sandbox.client)
            sandbox.tokens.revoke_all()
        elif self.name == "revocation":
            sandbox.credentials.revoke(sandbox.client)

    def observe(self, request: Request, facts: dict[str, Any]) -> None:
        """Note a request of the client."""
        self._requests += 1
        if request.is_token_request:
            self._tokens += 1
            return
        self._succeeded = self._succeeded or facts["status"] in _SUCCESS
        if request.method == "POST" and facts["operation"]:
            self._writes.append(facts["at"])

    def judge(self, *, failed: bool, limit: int) -> Verdict:
        """What the client has shown.

        Args:
            failed: Whether its call ended with an error.
            limit: How many writes a minute are allowed.
        """
        if self.name == "rate":
            return self._rate(limit)
        if not self._requests:
            return Verdict(
                check=self.check,
                outcome="not observed",
                reason="the client sent no request, so nothing shows",
            )
        if self.name == "revocation":
            return revocation_verdict(failed=failed, requests=self._requests, tokens=self._tokens)
        if self._succeeded and not failed:
            return Verdict.of(self.check, [])
        got, expected = "the call fails after the rotation", "a call with the new secret"
        return Verdict.of(self.check, [drill_finding("DR-1", got, expected)])

    def _rate(self, limit: int) -> Verdict:
        check, times = self.check, self._writes
        if len(times) <= limit:
            reason = f"{counted(len(times), 'write')}, and {limit} a minute are allowed"
            return Verdict(check=check, outcome="not observed", reason=reason)
        most = max(sum(start <= at < start + WINDOW for at in times) for start in times)
        if most <= limit:
            return Verdict.of(check, [])
        finding = Finding(
            level=check.level, sent=check.does, got=f"{most} writes within a minute",
            expected=f"{limit} a minute at most", why=check.why, fix=check.fix,
        )  # fmt: skip
        return Verdict.of(check, [finding])
