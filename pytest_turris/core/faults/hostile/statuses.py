"""Error answers: refusals, failures, and redirects that lead nowhere."""

from pytest_turris.core.faults.hostile.answer import (
    AnswerContext,
    AnswerMaker,
    HostileAnswer,
    Variant,
    error_answer,
)
from pytest_turris.core.middleware.idempotency import INVALID_KEY
from pytest_turris.core.wire.messages import Fields, Response

_ALLOWLIST = 'IP address "203.0.113.7" not in allowed list for token "***-a5ed"'
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


def _unauthorized(*headers: tuple[str, str]) -> AnswerMaker:
    return error_answer(
        401, headers=headers, errorType="unauthorized", errorMessage=["Invalid or expired token"]
    )


def _echo(context: AnswerContext) -> Response:
    """Repeat the credential of the request in the error, as a debugging proxy does."""
    request = context.request
    credential = request.header("authorization").removeprefix("Bearer ")
    seen = credential or request.body.decode("utf-8", "replace")
    message = [f"could not read {seen}"]
    return error_answer(400, errorType="invalid_input", errorMessage=message)(context)


def _redirect(status: int, location: str | None = None) -> AnswerMaker:
    def make(context: AnswerContext) -> Response:
        target = context.request.path if location is None else location
        return Response(status=status, headers=(("location", target),))

    return make


def _hops(context: AnswerContext) -> Response:
    """A new URL each time, so that no client can recognise a loop."""
    hop = context.request.query.partition("hop=")[2]
    done = int(hop) if hop.isascii() and hop.isdecimal() else 0
    fields: Fields = (("location", f"{context.request.path}?hop={done + 1}"),)
    return Response(status=302, headers=fields)


ANSWERS = (
    HostileAnswer(
        id="AR-10", title="redirects that lead nowhere: a loop, 30 hops, a broken URL",
        expects="a limited number of redirects; TC-19 to TC-21 say where credentials may go",
        source="RFC 9110, 15.4",
        variants=(
            *(
                Variant(name=f"loop {name}", make=_redirect(status), expects="either",
                        max_requests=40)
                for name, status in LOOPS.items()
            ),
            Variant(name="30 hops", make=_hops, expects="either", max_requests=40),
            Variant(name="userinfo", make=_redirect(302, "https://user:pw@pages.decoy.invalid/")),
            Variant(name="no address", make=_redirect(302, "")),
            Variant(name="token endpoint", endpoint="token", make=_redirect(307), expects="either",
                    max_requests=40),
        ),
    ),
    HostileAnswer(
        id="AR-11", title="one 401, with and without WWW-Authenticate",
        expects="one new token, one retry", source="RFC 6750, 3",
        variants=(
            Variant(name="without", make=_unauthorized(), times=1, expects="succeeds",
                    max_requests=2),
            Variant(
                name="with", times=1, expects="succeeds", max_requests=2,
                make=_unauthorized(("www-authenticate", 'Bearer error="invalid_token"')),
            ),
            Variant(
                name="Basic", times=1, expects="succeeds", max_requests=2,
                make=_unauthorized(("www-authenticate", 'Basic realm="turris"')),
            ),
        ),
    ),
    HostileAnswer(
        id="AR-12", title="every answer is a 401",
        expects="two attempts at most", source="azure-core retries once",
        variants=(Variant(name="401", make=_unauthorized(), max_requests=2),),
    ),
    HostileAnswer(
        id="AR-13", title="a 403 that names an IP address and a masked token",
        expects="no new token, no retry", source="guides: error-handling",
        variants=(Variant(
            name="403", max_requests=1,
            make=error_answer(403, errorType="forbidden", errorMessage=[_ALLOWLIST]),
        ),),
    ),
    HostileAnswer(
        id="AR-14", title="404, 409 and 422",
        expects="no retry", source="guides: error-handling",
        variants=tuple(
            Variant(name=str(status), max_requests=1,
                    make=error_answer(status, errorType="invalid_input"))
            for status in (404, 409, 422)
        ),
    ),
    HostileAnswer(
        id="AR-15", title="errorMessage of every shape, with control characters",
        expects="an error of the client's own, and no forged log line", source="CWE-117",
        variants=tuple(
            Variant(name=name, max_requests=1, make=error_answer(400, errorMessage=message))
            for name, message in _STRANGE.items()
        ),
    ),
    HostileAnswer(
        id="AR-16", title="an error that repeats the credential",
        expects="the credential is neither in the log nor in the error",
        source="a thermostat client's issue 56",
        variants=(
            Variant(name="token", make=_echo, max_requests=1),
            Variant(name="secret", endpoint="token", make=_echo, max_requests=1),
        ),
    ),
    HostileAnswer(
        id="AR-17", title="one 5xx, then a success",
        expects="a GET is repeated, and succeeds", level="should",
        source="AWS Builders' Library, retries",
        variants=tuple(
            Variant(name=str(status), make=error_answer(status), times=1, expects="succeeds",
                    max_requests=3)
            for status in (500, 502, 503, 504)
        ),
    ),
    HostileAnswer(
        id="AR-18", title="every answer is a 5xx",
        expects="a limited number of attempts, with pauses",
        source="AWS Builders' Library, retries",
        variants=(
            Variant(name="api", make=error_answer(503), paced=True),
            Variant(name="token", endpoint="token", make=error_answer(503), paced=True),
        ),
    ),
    HostileAnswer(
        id="AR-21", title="a 400: the idempotency key is not a UUID",
        expects="no retry", source="guides: idempotency",
        variants=(Variant(
            name="400", max_requests=1,
            make=error_answer(400, errorType="invalid_input", errorMessage=[INVALID_KEY]),
        ),),
    ),
)  # fmt: skip
