"""Answers that are errors: refusals, failures, redirects that lead nowhere."""

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    HostileAnswer,
    Make,
    Variant,
    error,
)
from pytest_turris.core.wire.messages import Fields, Response

_ALLOWLIST = 'IP address "203.0.113.7" not in allowed list for token "***-a5ed"'
_INVALID_KEY = (
    "Invalid idempotency key format. The idempotency-key must be a valid UUID"  # documented
)
_INJECTED = "\x1b[31mred\r\n2025-01-01 INFO forged line %s %(x)s <script>alert(1)</script>"
_STRANGE = {
    "string": "just text",
    "null": None,
    "nested": [{"message": ["deep"]}],
    "1 MB": ["x" * 1_048_576],
    "control characters": [_INJECTED],
    "missing": [],
}
LOOPS = {
    "301": 301, "302": 302, "303": 303, "307": 307, "308": 308,
}  # fmt: skip


def _unauthorized(*headers: tuple[str, str]) -> Make:
    return error(
        401, headers=headers, errorType="unauthorized", errorMessage=["Invalid or expired token"]
    )


def _echo(occasion: AnswerContext) -> Response:
    """What a debugging proxy does: the credential of the request in the body of the error."""
    request = occasion.request
    credential = request.header("authorization").removeprefix("Bearer ")
    seen = credential or request.body.decode("utf-8", "replace")
    return error(400, errorType="invalid_input", errorMessage=[f"could not read {seen}"])(occasion)


def _redirect(status: int, location: str | None = None) -> Make:
    def make(occasion: AnswerContext) -> Response:
        target = occasion.request.path if location is None else location
        return Response(status=status, headers=(("location", target),))

    return make


def _hops(occasion: AnswerContext) -> Response:
    """A new address each time: no loop that could be recognised."""
    hop = occasion.request.query.partition("hop=")[2]
    done = int(hop) if hop.isascii() and hop.isdecimal() else 0
    fields: Fields = (("location", f"{occasion.request.path}?hop={done + 1}"),)
    return Response(status=302, headers=fields)


ANSWERS = (
    HostileAnswer(
        id="AR-10", title="redirects that lead nowhere: a loop, 30 hops, a broken address",
        expects="bounded; see TC-19 to TC-21 for where credentials go",
        source="RFC 9110, 15.4",
        variants=(
            *(
                Variant(name=f"loop {name}", make=_redirect(status), expects="either", most=40)
                for name, status in LOOPS.items()
            ),
            Variant(name="30 hops", make=_hops, expects="either", most=40),
            Variant(name="userinfo", make=_redirect(302, "https://user:pw@pages.decoy.invalid/")),
            Variant(name="no address", make=_redirect(302, "")),
            Variant(name="token endpoint", where="token", make=_redirect(307), expects="either",
                    most=40),
        ),
    ),
    HostileAnswer(
        id="AR-11", title="401 once, with and without WWW-Authenticate",
        expects="one new token, one more try", source="RFC 6750, 3",
        variants=(
            Variant(name="without", make=_unauthorized(), times=1, expects="succeeds", most=2),
            Variant(
                name="with", times=1, expects="succeeds", most=2,
                make=_unauthorized(("www-authenticate", 'Bearer error="invalid_token"')),
            ),
            Variant(
                name="Basic", times=1, expects="succeeds", most=2,
                make=_unauthorized(("www-authenticate", 'Basic realm="turris"')),
            ),
        ),
    ),
    HostileAnswer(
        id="AR-12", title="401 always",
        expects="two tries at most", source="azure-core retries once",
        variants=(Variant(name="401", make=_unauthorized(), most=2),),
    ),
    HostileAnswer(
        id="AR-13", title="403 that names an IP address and a masked token",
        expects="no new token, no retry", source="guides: error-handling",
        variants=(Variant(
            name="403", most=1, make=error(403, errorType="forbidden", errorMessage=[_ALLOWLIST])
        ),),
    ),
    HostileAnswer(
        id="AR-14", title="404, 409 and 422",
        expects="no retry", source="guides: error-handling",
        variants=tuple(
            Variant(name=str(status), most=1, make=error(status, errorType="invalid_input"))
            for status in (404, 409, 422)
        ),
    ),
    HostileAnswer(
        id="AR-15", title="errorMessage of every shape, with control characters",
        expects="an error of the client's own; no forged log line", source="CWE-117",
        variants=tuple(
            Variant(name=name, most=1, make=error(400, errorMessage=message))
            for name, message in _STRANGE.items()
        ),
    ),
    HostileAnswer(
        id="AR-16", title="an error that echoes the credential",
        expects="not in the log, not in the error", source="a thermostat client's issue 56",
        variants=(
            Variant(name="token", make=_echo, most=1),
            Variant(name="secret", where="token", make=_echo, most=1),
        ),
    ),
    HostileAnswer(
        id="AR-17", title="5xx once, then an answer",
        expects="a GET succeeds after a pause", level="should",
        source="AWS Builders' Library, retries",
        variants=tuple(
            Variant(name=str(status), make=error(status), times=1, expects="succeeds", most=3)
            for status in (500, 502, 503, 504)
        ),
    ),
    HostileAnswer(
        id="AR-18", title="5xx forever",
        expects="a bounded number of tries", source="AWS Builders' Library, retries",
        variants=(
            Variant(name="api", make=error(503)),
            Variant(name="token", where="token", make=error(503)),
        ),
    ),
    HostileAnswer(
        id="AR-21", title="400: the idempotency key is not a UUID",
        expects="no retry", source="guides: idempotency",
        variants=(Variant(
            name="400", most=1,
            make=error(400, errorType="invalid_input", errorMessage=[_INVALID_KEY]),
        ),),
    ),
)  # fmt: skip
