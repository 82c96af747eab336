"""The audit's own checks by id."""

from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.leaks.checks import LEAKS
from pytest_turris.audit.rules.catalogue import PASSIVE_RULES
from pytest_turris.audit.rules.logged import CORRELATION, WHOLE_RECORDS
from pytest_turris.audit.scans.checks import SCANS

_PRIVILEGES = AuditCheck(
    id="RQ-16",
    title="Granted permissions are used",
    level="info",
    does="Compares the permissions of the credentials with those that the calls of the run need.",
    why="A stolen key can do all that it is allowed to do.",
    fix="Ask for a key without what is never used; in tests: "
    "turris.credentials.issue(permissions={'read'}).",
    source="vendor: implement the principle of least privilege",
)
_FORGERY = AuditCheck(
    id="VW-1",
    title="An accepted webhook is refused with one bit flipped",
    level="must",
    does="Sends each webhook that the receiver accepted once more, with one bit flipped.",
    why="Any client that knows the URL can send events.",
    fix="Compute the HMAC of the raw body, and compare it in constant time, before reading it.",
    source="vendor: use webhook signature verification",
)
_ROTATION = AuditCheck(
    id="DR-1",
    title="A rotated secret is picked up",
    level="should",
    does="Rotates the client secret and revokes all tokens, between two calls.",
    why="A rotation that needs an outage is postponed, and a leaked secret stays valid.",
    fix="Read the secret when a token is requested, or restart the process by the deployment.",
    source="vendor: rotate credentials periodically",
)
_REVOCATION = AuditCheck(
    id="DR-2",
    title="Revoked credentials fail within bounds",
    level="must",
    does="Revokes the credentials and all tokens, and counts the requests of the next call.",
    why="A client that goes on trying locks its own key out, and hides the cause.",
    fix="Raise an error after the token endpoint's first 401; do not repeat it.",
    source="vendor: revoke credentials immediately; RFC 6749, 5.2",
)
_LOG = (
    AuditCheck(
        id="AU-1",
        title="Each request has its record in the log",
        level="must",
        does="Looks for a record with method and path for each request that the sandbox saw.",
        why="What is not logged cannot be audited.",
        fix="Log each request once, when its answer is there or has failed.",
        source="vendor: log all API requests for audit purposes",
    ),
    AuditCheck(
        id="AU-2",
        title="A record has the status and the requestId",
        level="should",
        does="Looks for the status, and for the requestId of the answer, in the record.",
        why="Turris' support asks for the requestId; without it the request cannot be found again.",
        fix="Add the status and the requestId of the answer to the record.",
        source="vendor: guides/error-handling, log the requestId",
    ),
    AuditCheck(
        id="AU-3",
        title="A record is one line without control characters",
        level="must",
        does="Looks for control characters in the records.",
        why="Text from outside can forge further records, or hide them.",
        fix="Escape control characters before they are written (CWE-117).",
        source="CWE-117; OWASP Logging Cheat Sheet",
    ),
    AuditCheck(
        id="AU-4",
        title="A record holds no secret and no personal data",
        level="must",
        does="Looks in the records for secrets, and for the e-mail addresses, NPNs, FEINs, SSNs "
        "and dates of birth of the requests.",
        why="Many people read logs, and they are kept long.",
        fix="Log the path without its query, and ids in place of personal data.",
        source="vendor: minimise sensitive data; OWASP Logging Cheat Sheet",
    ),
)

OWN: dict[str, AuditCheck] = {
    check.id: check
    for check in sorted(
        (
            *(rule.check for rule in PASSIVE_RULES.values()), _PRIVILEGES, _FORGERY, _ROTATION,
            _REVOCATION, *_LOG, *LEAKS, *SCANS, WHOLE_RECORDS,
            CORRELATION,
        ),
        key=lambda check: check.id,
    )
}  # fmt: skip
"""The audit's own checks by id."""

KINDS = ("RQ-", "LK-", "AU-", "DR-", "VW-", "FE-")
"""How their ids begin."""
