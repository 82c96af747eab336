"""Where secrets, tokens and personal values show."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import quote, unquote

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.outcome import Outcome  # noqa: TC001 - as every import here
from pytest_turris.conformance.probes.redirects import CODES, led_home
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

_PERSONAL = re.compile(r"(?:^|&)(?:email|fein|ein|ssn|npn|downstreamEntityNpn)=([^&]{4,})")
_LINK = re.compile(rb'"(?:signInUrl|url)"\s*:\s*"([^"]{12,})"')


@probe("TC-16")
def not_in_urls(lab: Lab) -> Flow[None]:
    """Ordinary calls, and what they carry where."""
    yield from lab.warm()
    yield from lab.calls()
    if lab.subject.write:
        yield from lab.writes()
    needles = lab.needles()
    for seen in lab.sightings:
        found = any(needle in seen.request.target for needle in needles)
        lab.require(not found, f"{seen.request.method} {seen.request.path} has a secret in its URL")


@probe("TC-45")
def not_in_referer(lab: Lab) -> Flow[None]:
    """The API redirects to itself."""
    yield from lab.warm()
    for code in CODES:
        with led_home(lab, code):
            yield from lab.calls()
    needles = lab.needles()
    for seen in lab.sightings:
        referer = seen.request.header("referer")
        found = any(needle in referer for needle in needles)
        lab.require(not found, f"{seen.request.method} {seen.request.path}: a secret in Referer")


@probe("TC-28")
def not_shown(lab: Lab) -> Flow[None]:
    """Success, refusals, garbage, a lost connection, an error that echoes the credential."""
    with lab.traces() as traces:
        yield from lab.warm()
        outcomes: list[Outcome] = []
        for trouble in _troubles(lab):
            lab.outlive()
            lab.sandbox.limits.reset()
            with trouble:
                outcomes += yield from lab.calls()
        where = lab.shown(outcomes)
    where = where or traces.leak(lab.needles())
    lab.require(not where, f"a secret or a token shows in {where}")


@probe("TC-29")
def private_files(lab: Lab) -> Flow[None]:
    """Files that were written while tokens were got."""
    if os.name == "nt":
        lab.unobserved("who may read a file is not in its mode on Windows")
    with lab.traces() as traces:
        yield from lab.warm()
        lab.outlive()
        yield from lab.calls()
    public = traces.public_file(lab.needles())
    lab.require(not public, f"a token or secret stands in a file that others may read: {public}")


@probe("TC-54")
def links(lab: Lab) -> Flow[None]:
    """Answers that are a credential: sign-in and invite links."""
    with lab.traces() as traces, _links_noted(lab) as found:
        outcomes = yield from lab.calls()
        if lab.subject.write:
            outcomes += yield from lab.writes()
    if not found:
        lab.unobserved("no answer held a sign-in or invite link: give write= a call that gets one")
    where = lab.shown([o for o in outcomes if o.error]) or traces.leak(found)
    lab.require(not where, f"a sign-in or invite link shows in {where}")
    public = traces.public_file(found)
    lab.require(not public, f"a sign-in or invite link stands in the file {public}")


@probe("TC-55")
def personal_values(lab: Lab) -> Flow[None]:
    """Query values that are e-mail addresses or tax numbers."""
    with lab.traces() as traces:
        yield from lab.warm()
        with lab.fault("*", status=500, times=None):
            outcomes = yield from lab.calls()
    found = {v for s in lab.sightings for v in _PERSONAL.findall(s.request.query)}
    # A library may write the same value with or without percent-encoding.
    values = sorted({form for v in found for form in (v, unquote(v), quote(unquote(v), safe=""))})
    if not values:
        lab.unobserved("the call has no personal value in its query")
    shown = traces.leak(values)
    texts = " ".join(str(outcome.error) for outcome in outcomes)
    if not shown and any(value in texts for value in values):
        shown = "an error's text"
    lab.require(not shown, f"a personal value of the query shows in {shown}")


def _troubles(lab: Lab) -> Iterator[AbstractContextManager[None]]:
    yield lab.fault("*", status=401, times=None)
    yield lab.fault("get_oauth_token", status=401, times=None)
    yield lab.fault("*", error="reset", times=None)
    yield lab.fault("get_oauth_token", error="connect", times=None)
    yield _echoing(lab)
    yield _garbage(lab)


@contextmanager
def _echoing(lab: Lab) -> Iterator[None]:
    """An error whose message holds what was sent."""

    def echo(request: Request, handle: Handle) -> Response:
        del handle
        sent = request.header("authorization") + request.body.decode("utf-8", "replace")
        message = json.dumps(sent)
        document = f'{{"statusCode":400,"errorType":"invalid_input","errorMessage":[{message}]}}'
        return Response(status=400, headers=(_JSON,), body=document.encode())

    with lab.intercepting(echo):
        yield


@contextmanager
def _garbage(lab: Lab) -> Iterator[None]:
    """The token endpoint answers with the token in a body that is no JSON."""

    def spoil(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if (request.method, request.path) != TOKEN_REQUEST:
            return response
        return Response(status=response.status, headers=(_JSON,), body=response.body + b"}")

    with lab.intercepting(spoil):
        yield


@contextmanager
def _links_noted(lab: Lab) -> Iterator[list[str]]:
    found: list[str] = []

    def note(request: Request, handle: Handle) -> Response:
        response = handle(request)
        found.extend(link.decode() for link in _LINK.findall(response.body))
        return response

    with lab.intercepting(note):
        yield found


_JSON = ("content-type", "application/json")
