"""How the API is used: names, unknown members, deprecated operations, permissions."""

from pytest_turris.audit.rules.rule import Look, RuleList
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.validation import IGNORED

USE = RuleList()

_GONE = 410


@USE.rule(
    "RQ-14",
    "Only what the operation knows is sent",
    does="Looks for members of the body and query parameters that the operation does not know.",
    why="Data that is not read need not have left the application.",
    fix="Send the documented members only.",
    source="vendor: minimise the amount of sensitive data transmitted",
    level="should",
)
def _unknown(look: Look) -> None:
    for seen in look.record.calls:
        look.ran += bool(seen.operation and (seen.request.body or seen.request.query))
        for note in seen.notes:
            if note.startswith(IGNORED):
                look.spot([seen], note.removeprefix("ignored "), "documented members only")


@USE.rule(
    "RQ-15",
    "No deprecated operation is called",
    does="Looks for the header Deprecation in the answers.",
    why="After its sunset the operation answers 410, and the call fails.",
    fix="Move to the operation that the Link header names.",
    source="vendor: guides/versioning",
    level="info",
)
def _deprecated(look: Look) -> None:
    for seen in look.record.calls:
        look.ran += bool(seen.operation)
        if any(name == "deprecation" for name, _ in seen.answer) or seen.status == _GONE:
            look.spot([seen], f"the deprecated operation {seen.operation}", "its successor")


@USE.rule(
    "RQ-17",
    "The token request names its members as the API does",
    does="Looks for client_id and client_secret in the body of token requests.",
    why="Turris' own sample has these names, and the API refuses them: no call succeeds.",
    fix="Name the members clientId and clientSecret.",
    source="vendor: auth/get-oauth-token, schema and sample",
)
def _names(look: Look) -> None:
    for seen in look.record.seen:
        if not seen.is_token_request:
            continue
        look.ran += 1
        if seen.refused and _has_snake_case(seen.request):
            look.spot([seen], "client_id and client_secret", "clientId and clientSecret")


def _has_snake_case(request: Request) -> bool:
    return b"client_secret" in request.body and b"clientSecret" not in request.body
