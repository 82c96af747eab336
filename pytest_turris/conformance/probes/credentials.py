"""TC-25 to TC-27, TC-34 and TC-59: odd tokens, and where credentials stand."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import PAST, ClientHarness
from pytest_turris.conformance.observation.recorded_request import (
    RecordedRequest,
    has_both_credentials,
    request_spellings,
)
from pytest_turris.conformance.preconditions import renew, require_cache, why_write_fails
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.messages import Request, Response

CREDENTIALS = RuleFamily()
_rule = CREDENTIALS.rule

Rename = Callable[[str], str]

_CENTURY = 4_000_000_000


@_rule(
    "TC-25",
    "A new signing key changes nothing",
    does="Issues tokens with another kid and signature.",
    why="When Turris changes its key, every client that verifies with the old one stops.",
    fix="Treat the token as an opaque text: Turris verifies it, not the client.",
    usual_bug="the client verifies the token with a pinned key",
    source="RFC 9068, 6: opaque to clients",
)
def _new_key(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    with _renamed(harness, lambda text: _other(text, header={"kid": "rotated"})):
        result = yield from renew(harness)
        results = [result, *(yield from harness.calls(2))]
        harness.require_success(results, "with a token of another signing key")


@_rule(
    "TC-26",
    "The claims of the token are not used",
    does="Issues tokens that are not JWTs, and JWTs whose exp is long past or a century away.",
    why="The format of the token may change without notice; only expiresIn is documented.",
    fix="Compute the expiry from expiresIn and the time of the token request.",
    usual_bug="exp is read from the unverified JWT",
    source="RFC 8725, 3.1; RFC 9068, 6",
)
def _claims_not_used(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from require_cache(harness)
    buffered = yield from harness.refreshes_in_buffer()
    for name, rename in (
        ("is not a JWT", lambda text: f"opaque-{text[-40:]}"),
        ("has an exp long past", lambda text: _other(text, claims={"exp": 1, "iat": 0})),
        ("has an exp in a century", lambda text: _other(text, claims={"exp": _CENTURY})),
        ("has no claims", lambda text: _other(text, claims={"exp": None, "iat": None})),
    ):
        harness.sandbox.limits.reset()
        with _renamed(harness, rename):
            result = yield from renew(harness)
            odd, mark = harness.sandbox.tokens.newest, len(harness.requests)
            results = [result, *(yield from harness.calls(3))]
            harness.require_success(results, f"with a token that {name}")
            asked = harness.count_token_requests(mark)
            asked_text = counted(asked, "more token request")
            harness.require(asked == 0, f"3 calls with a token that {name} made {asked_text}")
            if not buffered:
                continue
            yield from harness.to_refresh_point(PAST)
            mark = len(harness.requests)
            harness.require_success((yield from harness.calls()), f"with a token that {name}")
            kept = any(seen.token is odd for seen in harness.since(mark) if seen.is_api)
            harness.require(not kept, f"a token that {name} was not replaced inside its buffer")


@_rule(
    "TC-27",
    "An unknown tokenType is refused, bearer is taken in any case",
    does="Issues tokens whose tokenType is bearer, missing, or mac; without it, either is right.",
    why="A token of another type, sent as a bearer token, is disclosed.",
    fix="Compare tokenType with bearer, ignoring case; raise an error for anything else.",
    usual_bug="tokenType is not checked",
    source="RFC 6749, 7.1 and 5.1",
)
def _token_type(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    with _typed(harness, "bearer"):
        harness.require_success([(yield from renew(harness))], "with tokenType bearer")
    # RFC 6749 requires the member, and a sample of Turris does without: both are right.
    with _typed(harness, None):
        yield from renew(harness)
    mark = len(harness.requests)
    with _typed(harness, "mac"):
        result = yield from renew(harness)
    newest = harness.sandbox.tokens.newest
    used = any(seen.is_api and seen.token is newest for seen in harness.since(mark))
    harness.require(not used, "a token of the unknown type 'mac' was sent as a bearer token")
    harness.require(result.error is not None, "the call succeeded with an unknown tokenType")


@_rule(
    "TC-34",
    "A request carries one kind of credential",
    does="Makes two ordinary calls.",
    why="Turris decides by an order of its own which one counts; the other is sent for nothing.",
    fix="Send either the bearer token or the restricted access token.",
    usual_bug="both headers are sent, one as a fallback",
    source="vendor: authentication, fallback order",
)
def _one_kind(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from harness.calls()
    both = sum(has_both_credentials(seen) for seen in harness.requests)
    got = f"{counted(both, 'request')} carried a bearer and a restricted access token"
    harness.require(not both, got)


@_rule(
    "TC-59",
    "Each credential is in its one place",
    does="Makes ordinary calls and a write; searches them for the secret, and for the token "
    "outside of Authorization.",
    why="Any reader of one call, such as a proxy or a log of requests, can request tokens.",
    fix="Put the credentials into the body of the token request, not into the session.",
    usual_bug="the secret, or a copy of the token, is a header or a cookie of the session",
    source="RFC 6749, 2.3.1",
)
def _secret_in_its_place(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from harness.calls()
    write_fails = yield from why_write_fails(harness)
    secrets = [
        form for own in harness.sandbox.credentials for form in request_spellings(own.client_secret)
    ]
    for seen in harness.requests:
        where = "" if seen.is_token_request else seen.find(secrets)
        request = f"{seen.request.method} {seen.request.path}"
        harness.require(not where, f"{request} carried the client secret in {where}")
        elsewhere = [name for name, value in seen.request.headers if _is_stray(seen, name, value)]
        got = f"{request} carried its token in the header {elsewhere and elsewhere[0]} too"
        harness.require(not elsewhere, got)
    texts = [str(token.text) for token in harness.sandbox.tokens]
    shared = [name for name, value in os.environ.items() if any(text in value for text in texts)]
    got = f"the variable {shared and shared[0]} holds a token: every child process inherits it"
    harness.recommend(not shared, got)
    if write_fails:
        harness.not_applicable(write_fails)


def _is_stray(seen: RecordedRequest, name: str, value: str) -> bool:
    """Whether a header other than Authorization holds the token."""
    return name != "authorization" and seen.token is not None and seen.token.text in value


@contextmanager
def _renamed(harness: ClientHarness, rename: Rename) -> Iterator[None]:
    """The client gets its tokens under other names, which the harness translates back."""

    def give(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if request.is_token_request and harness.sandbox.tokens.newest:
            text = str(harness.sandbox.tokens.newest.text)
            harness.aliases[text] = rename(text)
            harness.also_secret.append(harness.aliases[text])
        return response

    with harness.intercepting(give):
        yield


@contextmanager
def _typed(harness: ClientHarness, value: str | None) -> Iterator[None]:
    def edit(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if not request.is_token_request:
            return response
        document = json.loads(response.body)
        document["data"].pop("tokenType", None)
        document["data"] |= {"tokenType": value} if value else {}
        return replace(response, body=json.dumps(document).encode())

    with harness.intercepting(edit):
        yield


def _other(
    text: str, *, header: dict[str, object] | None = None, claims: dict[str, object] | None = None
) -> str:
    """A JWT with parts replaced. Its signature is wrong, which a client must not check."""
    head, body, signature = text.split(".")
    parts = (_merged(head, header or {}), _merged(body, claims or {}), f"AAAA{signature[4:]}")
    return ".".join(parts)


def _merged(part: str, changes: dict[str, object]) -> str:
    padded = part + "=" * (-len(part) % 4)
    document = json.loads(base64.urlsafe_b64decode(padded)) | changes
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
