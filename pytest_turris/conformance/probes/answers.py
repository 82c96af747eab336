"""What a client makes of 401, 403 and silence."""

import datetime as dt
from contextlib import AbstractContextManager

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.errors import CaseError
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import JSON_HEADERS, Request, Response, encode

_TRIES = 2


@probe("TC-12")
def once_more(lab: Lab) -> Flow[None]:
    """One 401 for a token that was good when it was sent."""
    yield from lab.warm()
    mark = len(lab.sightings)
    with lab.fault("*", status=401, times=1):
        outcomes = yield from lab.calls()
    lab.succeeded(outcomes, "because of one 401 in flight")
    api = [s for s in lab.since(mark) if s.is_api]
    lab.require(len(api) == _TRIES, f"one 401 made {len(api)} tries of the call instead of 2")
    fresh = api[0].token is not api[1].token
    lab.require(fresh, "the call was tried again with the token that had just been refused")


@probe("TC-13")
def no_further(lab: Lab) -> Flow[None]:
    """Every call of the API is a 401, the token endpoint is well."""
    yield from lab.warm()
    mark = len(lab.sightings)
    with _api_always(lab, 401):
        yield from lab.calls()
    seen = lab.since(mark)
    api, asked = sum(s.is_api for s in seen), sum(s.is_token_request for s in seen)
    lab.require(api <= _TRIES, f"one call with a lasting 401 was tried {api} times")
    lab.require(asked <= 1, f"one call with a lasting 401 made {asked} token requests")


@probe("TC-14")
def final(lab: Lab) -> Flow[None]:
    """The token endpoint refuses the credentials."""
    lab.sandbox.credentials.revoke(lab.sandbox.client)
    (outcome,) = yield from lab.calls()
    asked = len(lab.token_requests)
    if not asked:
        raise CaseError(f"the call sent no token request: {outcome}")
    lab.require(asked == 1, f"a 401 of the token endpoint was followed by {asked - 1} more tries")
    lab.require(outcome.error is not None, "the call gave a result without any token")


@probe("TC-15")
def forbidden(lab: Lab) -> Flow[None]:
    """A 403: the token is good, the permission is missing."""
    yield from lab.warm()
    mark = len(lab.sightings)
    with _api_always(lab, 403):
        yield from lab.calls()
    seen = lab.since(mark)
    asked, api = sum(s.is_token_request for s in seen), sum(s.is_api for s in seen)
    lab.require(asked == 0, f"a 403 made {asked} token requests")
    lab.require(api == 1, f"a 403 was tried {api} times")


@probe("TC-22")
def revoked_token(lab: Lab) -> Flow[None]:
    """All tokens are revoked in the middle of their life."""
    yield from lab.warm()
    lab.sandbox.tokens.revoke_all()
    lab.succeeded((yield from lab.calls(3)), "after the token was revoked")
    asked = len(lab.token_requests) - 1
    lab.require(asked == 1, f"a revoked token made {asked} token requests instead of 1")


@probe("TC-23")
def revoked_credentials(lab: Lab) -> Flow[None]:
    """The API client is revoked, with all its tokens; three calls are made."""
    yield from lab.warm()
    lab.sandbox.credentials.revoke(lab.sandbox.client)
    for _ in range(3):
        mark = len(lab.sightings)
        (outcome,) = yield from lab.calls()
        seen = lab.since(mark)
        asked, api = sum(s.is_token_request for s in seen), sum(s.is_api for s in seen)
        lab.require(outcome.error is not None, "a call gave a result with revoked credentials")
        lab.require(asked <= 1, f"one call made {asked} token requests with revoked credentials")
        lab.require(api <= _TRIES, f"one call was tried {api} times with revoked credentials")


@probe("TC-38")
def timeout(lab: Lab) -> Flow[None]:
    """The token endpoint answers after ten minutes."""
    with lab.fault("get_oauth_token", delay=dt.timedelta(minutes=10), times=None):
        (outcome,) = yield from lab.calls()
    if not lab.sightings or not lab.sightings[0].in_process:
        lab.unobserved("over a socket no ten minutes pass; see the hostile answer AR-33")
    lab.require(outcome.error is not None, "the client waited ten minutes for a token")


def _api_always(lab: Lab, status: int) -> AbstractContextManager[None]:
    def refuse(request: Request, handle: Handle) -> Response:
        if (request.method, request.path) == TOKEN_REQUEST:
            return handle(request)
        names = {401: "unauthorized", 403: "forbidden"}
        document = {
            "statusCode": status,
            "requestId": "dev-00000000-0000-4000-8000-000000000000",
            "errorType": names[status],
            "errorMessage": ["Refused by the test"],
        }
        return Response(status=status, headers=JSON_HEADERS, body=encode(document))

    return lab.intercepting(refuse)
