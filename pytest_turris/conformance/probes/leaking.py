"""TC-16, TC-28, TC-45, TC-54, TC-55 and TC-63: where secrets, tokens and personal values show."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import quote, unquote

from pytest_turris.conformance.call_result import CallResult, texts_of
from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorded_request import pieces_of
from pytest_turris.conformance.preconditions import why_write_fails
from pytest_turris.conformance.probes.redirects import CODES, redirected_to_itself
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

LEAKING = RuleFamily()
_rule = LEAKING.rule

_PIECE, _HALF = 8, 20
"""How many characters of a secret in a row are a piece of it, and how many are half of it."""

_JSON = ("content-type", "application/json")
_PERSONAL = re.compile(r"(?:^|&)(?:email|fein|ein|ssn|npn|downstreamEntityNpn)=([^&]{4,})")
_LINK = re.compile(rb'"(?:signInUrl|url)"\s*:\s*"([^"]{12,})"')


@_rule(
    "TC-16",
    "No token or secret is in a URL",
    does="Makes ordinary calls, and searches their URLs.",
    why="URLs are logged by servers and proxies, and kept in histories.",
    fix="Send the token in the Authorization header, and the secret in the body.",
    usual_bug="?access_token= is used as a shortcut",
    source="vendor: never in URL parameters; RFC 9700, 4.3.2",
)
def _not_in_urls(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    yield from harness.calls()
    write_fails = yield from why_write_fails(harness)
    secrets = harness.secrets()
    for seen in harness.requests:
        found = any(secret in seen.request.target for secret in secrets)
        request = f"{seen.request.method} {seen.request.path}"
        harness.require(not found, f"{request} has a secret in its URL")
    if write_fails:
        harness.not_applicable(write_fails)


@_rule(
    "TC-45",
    "No token is in a Referer",
    does="Redirects calls of the API to the same URL.",
    why="The Referer goes to whatever server the redirect names.",
    fix="Keep tokens out of URLs; send no Referer.",
    usual_bug="the token is in a URL that redirects",
    source="RFC 9700, 4.2",
)
def _not_in_referer(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    for code in CODES:
        with redirected_to_itself(harness, code):
            yield from harness.calls()
    secrets = harness.secrets()
    for seen in harness.requests:
        referer = seen.request.header("referer")
        found = any(secret in referer for secret in secrets)
        request = f"{seen.request.method} {seen.request.path}"
        harness.require(not found, f"{request} has a secret in its Referer")


@_rule(
    "TC-28",
    "No secret shows in logs, output, errors or a repr",
    does="Lets calls succeed, be refused, get garbage, lose the connection, and get an error that "
    "repeats the credential.",
    why="Anyone who can read the logs or the error reports can use the API.",
    fix="Log method, path and status only; give secrets a repr that hides them.",
    usual_bug="the request is part of the error",
    source="requests-oauthlib issue 536",
)
def _not_shown(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.traces() as traces:
        yield from harness.get_first_token()
        results: list[CallResult] = []
        for failure in _failures(harness):
            yield from harness.past_expiry()
            harness.sandbox.limits.reset()
            with failure:
                results += yield from harness.calls()
        where = harness.find_shown_secret(results)
    where = where or traces.find_secret(harness.secrets())
    harness.require(not where, f"a secret or a token shows in {where}")
    harness.advise_on_reprs(results)


@_rule(
    "TC-63",
    "No piece of a secret shows in logs, output or errors",
    does="Does what TC-28 does, and looks for eight characters in a row of a secret or of a "
    "token's signature.",
    why="Pieces of several log lines make the whole; and a piece shows which secret is in use.",
    fix="Show at most the last four characters, as Turris does, or a hash.",
    usual_bug="secret[:12] + '...' is thought to hide it",
    source="vendor: error handling, which shows the last four characters",
    level="should",
)
def _no_pieces(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.traces() as traces:
        yield from harness.get_first_token()
        results: list[CallResult] = []
        for failure in _failures(harness):
            yield from harness.past_expiry()
            harness.sandbox.limits.reset()
            with failure:
                results += yield from harness.calls()
    texts = [*traces.messages, *traces.records, *traces.output]
    texts += [texts_of(result.error) for result in results]
    whole = set(harness.secrets())
    if any(secret in text for text in texts for secret in whole):
        harness.not_applicable("a whole secret shows: look at TC-28 first")
    for length, level in ((_HALF, "must"), (_PIECE, "should")):
        needles = pieces_of(harness.sandbox, length)
        shown = any(needle in text for text in texts for needle in needles)
        got = f"{length} or more characters in a row of a secret or of a token's signature show"
        harness.recommend(not shown, got, level)  # type: ignore[arg-type] # two of three levels
        if shown:
            break


@_rule(
    "TC-54",
    "Sign-in and invite links are treated as secrets",
    does="Gets sign-in and invite links, and searches logs, output, errors and files for them.",
    why="Anyone who has the link can sign in.",
    fix="Do not log answers that contain such links, and do not write them to files.",
    usual_bug="the answer is logged",
    source="vendor: get-sign-in-url",
    needs="write",
)
def _links(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.traces() as traces, _links_noted(harness) as found:
        results = yield from harness.calls()
        if harness.client.write:
            results += yield from harness.writes()
    if not found:
        write_fails = yield from why_write_fails(harness)
        harness.not_applicable(
            write_fails
            or "no answer had a sign-in or invite link: give write= a call that gets one"
        )
    where = harness.find_in_errors(results, found) or traces.find_secret(found)
    harness.require(not where, f"a sign-in or invite link shows in {where}")
    public = traces.files.find_public(found)
    harness.require(not public, f"a file holds a sign-in or invite link: {public}")


@_rule(
    "TC-55",
    "Personal values in a query are not logged",
    does="Makes calls that fail and whose query has an e-mail address or a tax number.",
    why="Logs are kept longer, and read by more people, than personal data may be.",
    fix="Log the path without the query, and lower the log level of the HTTP library.",
    usual_bug="the HTTP library logs whole URLs",
    source="vendor: data protection",
    level="should",
)
def _personal_values(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.traces() as traces:
        yield from harness.get_first_token()
        with harness.fault("*", status=500, times=None):
            results = yield from harness.calls()
    found = {v for seen in harness.requests for v in _PERSONAL.findall(seen.request.query)}
    # A library may write the same value with or without percent-encoding.
    values = sorted({form for v in found for form in (v, unquote(v), quote(unquote(v), safe=""))})
    if not values:
        harness.not_applicable("the call has no personal value in its query")
    shown = traces.find_secret(values)
    texts = " ".join(str(result.error) for result in results)
    if not shown and any(value in texts for value in values):
        shown = "an error's text"
    harness.require(not shown, f"a personal value of the query shows in {shown}")


def _failures(harness: ClientHarness) -> Iterator[AbstractContextManager[None]]:
    yield harness.fault("*", status=401, times=None)
    for status in (401, 403, 500):  # of the API: with a token
        yield _api_refuses(harness, status)
    yield harness.fault("get_oauth_token", status=401, times=None)
    yield harness.fault("*", error="reset", times=None)
    yield harness.fault("get_oauth_token", error="connect", times=None)
    yield _echoing(harness)
    yield _garbage(harness)


@contextmanager
def _api_refuses(harness: ClientHarness, status: int) -> Iterator[None]:
    """The API answers with an error, the token endpoint as ever."""

    def refuse(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if request.is_token_request:
            return response
        body = b'{"statusCode":%d,"errorMessage":["Refused"]}' % status
        return Response(status=status, headers=(_JSON,), body=body)

    with harness.intercepting(refuse):
        yield


@contextmanager
def _echoing(harness: ClientHarness) -> Iterator[None]:
    """An error whose message contains what was sent."""

    def echo(request: Request, handle: Handle) -> Response:
        del handle
        sent = request.header("authorization") + request.body.decode("utf-8", "replace")
        message = json.dumps(sent)
        document = f'{{"statusCode":400,"errorType":"invalid_input","errorMessage":[{message}]}}'
        return Response(status=400, headers=(_JSON,), body=document.encode())

    with harness.intercepting(echo):
        yield


@contextmanager
def _garbage(harness: ClientHarness) -> Iterator[None]:
    """The token endpoint answers with the token in a body that is not JSON."""

    def spoil(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if not request.is_token_request:
            return response
        return Response(status=response.status, headers=(_JSON,), body=response.body + b"}")

    with harness.intercepting(spoil):
        yield


@contextmanager
def _links_noted(harness: ClientHarness) -> Iterator[list[str]]:
    found: list[str] = []

    def note(request: Request, handle: Handle) -> Response:
        response = handle(request)
        found.extend(link.decode() for link in _LINK.findall(response.body))
        return response

    with harness.intercepting(note):
        yield found
