"""TC-12 to TC-15, TC-22, TC-23 and TC-38: what a client does about 401, 403 and silence."""

import datetime as dt
from contextlib import AbstractContextManager

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.hostile.answer_waits import require_bounded_waits
from pytest_turris.conformance.preconditions import require_cache
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.errors import error_document
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode

ODD_ANSWERS = RuleFamily()
_rule = ODD_ANSWERS.rule

_TRIES = 2


@_rule(
    "TC-12",
    "A 401 is retried once with a new token",
    does="Answers one call with 401, although its token was valid when it was sent.",
    why="A token can expire or be revoked while a call is under way; the user sees an error.",
    fix="On a 401, drop the token that was refused, get a new one, and repeat the call once.",
    usual_bug="a 401 goes straight to the caller",
    source="RFC 6750, 3.1",
)
def _one_unauthorized(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    mark = len(harness.requests)
    with harness.fault("*", status=401, times=1):
        results = yield from harness.calls()
    harness.require_success(results, "because of one 401")
    api = [seen for seen in harness.since(mark) if seen.is_api]
    harness.require(len(api) == _TRIES, f"one 401 made {len(api)} tries of the call instead of 2")
    renewed = api[0].token is not api[1].token
    harness.require(renewed, "the call was repeated with the token that had just been refused")


@_rule(
    "TC-13",
    "A 401 that persists is retried only once",
    does="Answers every call of the API with 401; the token endpoint works.",
    why="Each retry costs a token request, of which ten a minute are allowed; then nothing works.",
    fix="Count the retries of each call: after one with a new token, give the 401 to the caller.",
    usual_bug="the client retries until the call works",
    source="azure-core: at most once",
)
def _always_unauthorized(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    mark = len(harness.requests)
    with _api_always(harness, 401):
        yield from harness.calls()
    asked, api = harness.count_token_requests(mark), _api_calls(harness, mark)
    harness.require(api <= _TRIES, f"one call whose 401 persists was tried {api} times")
    asked_text = counted(asked, "token request")
    harness.require(asked <= 1, f"one call whose 401 persists made {asked_text}")


@_rule(
    "TC-14",
    "A 401 of the token endpoint is final",
    does="Revokes the credentials before the first call.",
    why="Wrong credentials do not become right; retries use up the limit and may lock the account.",
    fix="Raise an error on a 401 of the token endpoint, without a retry.",
    usual_bug="bad credentials are retried like a lost connection",
    source="cf-java-client issue 1026",
)
def _refused_credentials(harness: ClientHarness) -> ProbeSteps[None]:
    harness.sandbox.credentials.revoke(harness.sandbox.client)
    (result,) = yield from harness.calls()
    asked = len(harness.token_requests)
    if not asked:
        raise CaseError(f"the call sent no token request: {result}")
    harness.require(asked == 1, f"the token endpoint answered 401, and was asked {asked} times")
    harness.require(result.error is not None, "the call returned a result without any token")


@_rule(
    "TC-15",
    "A 403 causes no token request",
    does="Answers every call of the API with 403: the token is valid, the permission is missing.",
    why="A new token has the same permissions; the retry only uses up the limit.",
    fix="Give a 403 to the caller; renew the token on 401 alone.",
    usual_bug="401 and 403 share a branch",
    source="RFC 6750, 3.1",
)
def _forbidden(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    mark = len(harness.requests)
    with _api_always(harness, 403):
        yield from harness.calls()
    asked, api = harness.count_token_requests(mark), _api_calls(harness, mark)
    harness.require(asked == 0, f"a 403 made {counted(asked, 'token request')}")
    harness.require(api == 1, f"a call with a 403 was tried {api} times")


@_rule(
    "TC-22",
    "A revoked token is replaced",
    does="Revokes all tokens in the middle of their life, then makes three calls.",
    why="All calls fail until the token would have expired, up to an hour later.",
    fix="Drop the cached token when a call gets a 401.",
    usual_bug="the cache is dropped only when the token expires",
    source="vendor: revoke credentials",
)
def _revoked_token(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    harness.sandbox.tokens.revoke_all()
    # The first call may give the 401 to its caller, which is TC-12's matter.
    _, *later = yield from harness.calls(3)
    harness.require_success(later, "after the token was revoked")
    asked = len(harness.token_requests) - 1
    asked_text = counted(asked, "token request")
    harness.require(asked == 1, f"a revoked token made {asked_text} instead of 1")


@_rule(
    "TC-23",
    "Revoked credentials fail within bounds",
    does="Revokes the API client with all its tokens, then makes three calls.",
    why="The client keeps asking for tokens with credentials that will never be accepted again.",
    fix="Try each call at most twice, with at most one token request, then raise an error.",
    usual_bug="each call asks again and again",
    source="cf-java-client issue 1026",
)
def _revoked_credentials(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    harness.sandbox.credentials.revoke(harness.sandbox.client)
    for _ in range(3):
        mark = len(harness.requests)
        (result,) = yield from harness.calls()
        asked, api = harness.count_token_requests(mark), _api_calls(harness, mark)
        harness.require(result.error is not None, "a call succeeded with revoked credentials")
        got = f"one call made {counted(asked, 'token request')} with revoked credentials"
        harness.require(asked <= 1, got)
        harness.require(api <= _TRIES, f"one call was tried {api} times with revoked credentials")


@_rule(
    "TC-38",
    "The token request has a timeout",
    does="Lets the token endpoint answer after ten minutes.",
    why="Every call that needs a token hangs for as long as the endpoint does.",
    fix="Give the token request a timeout of some seconds, at most two minutes.",
    usual_bug="the library has no timeout by default",
    source="AWS Builders' Library",
)
def _slow_token_endpoint(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.fault("get_oauth_token", delay=dt.timedelta(minutes=10), times=None):
        (result,) = yield from harness.calls()
    if not harness.requests or not harness.requests[0].in_process:
        harness.not_applicable("over a socket no ten minutes pass; see the hostile answer AR-33")
    require_bounded_waits(harness, harness.token_requests, result, for_what="a token")
    harness.require(result.error is not None, "the client waited ten minutes for a token")


def _api_calls(harness: ClientHarness, mark: int) -> int:
    return sum(seen.is_api for seen in harness.since(mark))


def _api_always(harness: ClientHarness, status: int) -> AbstractContextManager[None]:
    def refuse(request: Request, handle: Handle) -> Response:
        if request.is_token_request:
            return handle(request)
        names = {401: "unauthorized", 403: "forbidden"}
        document = error_document(
            status,
            names[status],
            ["Refused by the test"],
            request_id="dev-00000000-0000-4000-8000-000000000000",
        )
        return Response(status=status, headers=JSON_HEADERS, body=encode(document))

    return harness.intercepting(refuse)
