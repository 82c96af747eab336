"""What a suite in any language adds to the audit: drills of its client, and its audit log."""

from pydantic import Field

from mock_server.control.control import ControlCall, Judging, control
from mock_server.control.models import Parameters, Result
from mock_server.control.rows.webhooks.attacks import FindingShown, finding_shown
from mock_server.control.wire.errors import ControlError
from pytest_turris.audit.drills.served import DrillError, DrillName
from pytest_turris.audit.evidence import Spotted
from pytest_turris.findings.verdict import Outcome

_LONGEST_LOG = 1_000_000


class BeginDrill(Parameters):
    """Which drill."""

    drill: DrillName = Field(description="What the client goes through.")


class DrillBegun(Result):
    """The credentials from now on; a rotated secret is shown this once."""

    drill: str
    client_id: str
    client_secret: str | None


class EndDrill(Parameters):
    """How the client's call ended."""

    failed: bool = Field(default=False, description="Whether it ended with an error.")


class DrillVerdict(Result):
    """What the drill showed, which is evidence of the audit."""

    check: str
    outcome: Outcome
    reason: str
    findings: list[FindingShown]


class AuditLog(Parameters):
    """What the application has logged."""

    text: str = Field(max_length=_LONGEST_LOG, description="Its lines, one for each record.")


class LogFinding(FindingShown):
    """What is wrong with the log, redacted."""

    check: str


class LogShown(Result):
    """What the log showed: how often each check could have failed, and the findings."""

    ran: dict[str, int]
    findings: list[LogFinding]


@control("audit", "drill", "POST", "/audit/drill", status=201, issues=True, positional=("drill",))
def begin_drill(call: ControlCall, given: BeginDrill) -> DrillBegun:
    """Begin a drill of a client that works: rotate its secret, revoke it, or count its writes.

    The client makes its calls then, and ``POST /audit/drill/end`` judges them.
    """
    try:
        call.tenant.audit.begin_drill(given.drill)
    except DrillError as error:
        raise ControlError(409, str(error)) from error
    client = call.tenant.sandbox.client
    secret = str(client.client_secret) if given.drill == "rotation" else None
    return DrillBegun(drill=given.drill, client_id=client.client_id, client_secret=secret)


@control(
    "audit",
    "end-drill",
    "POST",
    "/audit/drill/end",
    judges=Judging("findings", "{check} does not hold: {findings[0][got]}"),
)
def end_drill(call: ControlCall, given: EndDrill) -> DrillVerdict:
    """Judge the drill by what the client has sent since it began."""
    try:
        verdict = call.tenant.audit.end_drill(failed=given.failed)
    except DrillError as error:
        raise ControlError(409, str(error)) from error
    return DrillVerdict(
        check=verdict.check.id,
        outcome=verdict.outcome,
        reason=verdict.reason,
        findings=[finding_shown(one, verdict.check.fix) for one in verdict.findings],
    )


@control(
    "audit",
    "log",
    "POST",
    "/audit/log",
    takes_long=True,
    positional=("text",),
    judges=Judging("findings", "{findings[0][check]} does not hold: {findings[0][got]}"),
)
def read_log(call: ControlCall, given: AuditLog) -> LogShown:
    """Compare the application's audit log with the requests since the last comparison.

    Each request needs a line with its method, path, status and requestId, without secrets and
    personal data.
    """
    tenant = call.tenant
    with tenant.own_lock:
        judgement = tenant.audit.begin_log()
    found = judgement.read(given.text)
    with tenant.own_lock:
        tenant.audit.add(found)
    return LogShown(ran=found.ran, findings=[_log_finding(one) for one in found.spotted])


ROWS = (begin_drill, end_drill, read_log)


def _log_finding(spotted: Spotted) -> LogFinding:
    shown = finding_shown(spotted.finding, "")
    return LogFinding(check=spotted.check, **shown.model_dump())
