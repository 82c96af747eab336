"""The audit: how well the clients of a sandbox follow the vendor's security page."""

import datetime as dt
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Counted, Nothing, Parameters, Result
from mock_server.control.wire.errors import ControlError
from pytest_turris.audit.assessment import RunFacts, assess
from pytest_turris.audit.declarations import Declarations
from pytest_turris.audit.reports.document import STATUSES, Document, report_document


class AuditCheckShown(Result):
    """A check that ran, and how often it could have failed."""

    check: str
    title: str
    times: int
    help_uri: str


class AuditLine(Result):
    """A line of the checklist. ``never`` are the checks that had no chance to fail."""

    id: str
    section: str
    words: str
    kind: str
    status: str
    held: list[AuditCheckShown]
    never: list[str]
    findings: list[str]
    next_step: str
    note: str
    beyond: str
    help_uri: str


class AuditExchange(Result):
    """A request that is evidence. ``number`` is its number in the journal."""

    number: int
    text: str


class AuditFinding(Result):
    """What is wrong, and the requests that show it, oldest first, as they came first."""

    fingerprint: str
    check: str
    title: str
    level: str
    operation: str
    got: str
    expected: str
    why: str
    fix: str
    source: str
    help_uri: str
    exchanges: list[AuditExchange]


class AuditSummary(Result):
    """How many lines have each status."""

    violated: int
    waived: int
    not_observed: int
    attested: int
    no_violation: int
    proven: int


class AuditShown(Result):
    """The checklist with what is known now. All texts are redacted."""

    requests: int
    summary: AuditSummary
    lines: list[AuditLine]
    findings: list[AuditFinding]
    checks: list[AuditCheckShown]


class AuditEvidence(Result):
    """The evidence before it is judged, for ``turris-sandbox audit``, which knows the declarations.

    ``others`` is that of other tenants, if they were asked for; ``requests`` counts theirs too.
    """

    # Its members are those of the Python class.
    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)

    requests: int
    evidence: dict[str, Any]
    others: list[dict[str, Any]]


class AuditScope(Parameters):
    """Whose evidence."""

    everywhere: bool = Field(
        default=False,
        description="Include the evidence of all tenants and of deleted ones; not below a tenant.",
    )


class AuditFilters(Parameters):
    """Which lines and findings."""

    status: str | None = Field(None, description="Only lines of this status, such as violated.")


@control("audit", "show", "GET", "/audit", words=("audit",))
def _show(call: ControlCall, given: AuditFilters) -> AuditShown:
    """Show the checklist of the vendor's security page, and what the requests so far show."""
    audit = call.tenant.audit
    evidence = audit.evidence()
    facts = RunFacts(requests=audit.requests)
    at = dt.datetime.fromtimestamp(0, dt.UTC)  # nothing is declared here, so no date counts
    found = report_document(assess([evidence], Declarations(), facts, at, here=""))
    numbers = {one.fingerprint: one.numbers for one in evidence.spotted}
    counts = {status.replace(" ", "_"): found["summary"][status] for status in STATUSES}
    return AuditShown(
        requests=audit.requests,
        summary=AuditSummary(**counts),
        lines=[_line(one) for one in found["lines"] if given.status in (None, one["status"])],
        findings=[_finding(one, numbers.get(one["fingerprint"], ())) for one in found["results"]],
        checks=[AuditCheckShown(**one) for one in found["checks"]],
    )


@control("audit", "evidence", "GET", "/audit/evidence")
def evidence_of(call: ControlCall, given: AuditScope) -> AuditEvidence:
    """Get the evidence, for a report that is made elsewhere."""
    audit = call.tenant.audit
    requests, others = audit.requests, []
    if given.everywhere:
        # It holds the lock of one while it takes those of others: only ever in this order.
        if call.tenant is not call.tenants.default:
            raise ControlError(409, "everywhere: ask the server's own sandbox, without a tenant")
        gone = call.tenants.gone
        requests, others = requests + gone.requests, [gone.evidence.as_json()]
        for tenant in call.tenants:
            if tenant is not call.tenant and tenant.is_audited:
                with tenant.own_lock:
                    requests += tenant.audit.requests
                    others.append(tenant.audit.evidence().as_json())
    return AuditEvidence(requests=requests, evidence=audit.evidence().as_json(), others=others)


@control("audit", "clear", "DELETE", "/audit")
def _clear(call: ControlCall, given: Nothing) -> Counted:
    """Forget the evidence so far. A reset of the sandbox keeps it.

    The server's own sandbox also forgets the evidence of deleted tenants.
    """
    del given
    count = call.tenant.audit.clear()
    if call.tenant is call.tenants.default:
        count += call.tenants.gone.clear()
    return Counted(count=count)


ROWS = (_show, evidence_of, _clear)


def _line(one: Document) -> AuditLine:
    return AuditLine(**one, findings=one["results"])


def _finding(one: Document, numbers: tuple[int, ...]) -> AuditFinding:
    exchanges = [
        AuditExchange(number=number, text=text)
        for number, text in zip(numbers, one["exchanges"], strict=False)
    ]
    return AuditFinding(**one | {"exchanges": exchanges}, operation=one["symbol"])
