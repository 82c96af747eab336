"""Tokens of another form, of another type, and two credentials at once."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import TICK, Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.conformance.recorded_request import restricted_and_bearer
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.messages import Request, Response

Rename = Callable[[str], str]

_CENTURY = 4_000_000_000


@probe("TC-25")
def new_key(lab: Lab) -> Flow[None]:
    """Tokens come with another ``kid`` and signature."""
    yield from lab.warm()
    lab.outlive()
    with _renamed(lab, lambda text: _other(text, header={"kid": "rotated"})):
        lab.succeeded((yield from lab.calls(3)), "with a token of another signing key")


@probe("TC-26")
def not_believed(lab: Lab) -> Flow[None]:
    """Tokens are no JWT, or one whose ``exp`` has long passed or never comes."""
    yield from lab.warm()
    buffered = yield from lab.heeds_buffer()
    for name, rename in (
        ("is no JWT", lambda text: f"opaque-{text[-40:]}"),
        ("has an exp long past", lambda text: _other(text, claims={"exp": 1, "iat": 0})),
        ("has an exp in a century", lambda text: _other(text, claims={"exp": _CENTURY})),
        ("has no claims", lambda text: _other(text, claims={"exp": None, "iat": None})),
    ):
        lab.outlive()
        lab.sandbox.limits.reset()
        mark = len(lab.sightings)
        with _renamed(lab, rename):
            lab.succeeded((yield from lab.calls(4)), f"with a token that {name}")
            asked = sum(s.is_token_request for s in lab.since(mark))
            lab.require(asked == 1, f"4 calls with a token that {name} made {asked} token requests")
            if not buffered:
                continue
            lab.time.to_refresh_point(plus=TICK)
            lab.succeeded((yield from lab.calls()), f"with a token that {name}")
            asked = sum(s.is_token_request for s in lab.since(mark)) - 1
            lab.require(asked == 1, f"a token that {name} was not replaced inside its buffer")


@probe("TC-27")
def token_type(lab: Lab) -> Flow[None]:
    """``tokenType`` is ``mac``, ``bearer``, or missing."""
    yield from lab.warm()
    for name, value in (("bearer", "bearer"), ("missing", None)):
        lab.outlive()
        with _typed(lab, value):
            lab.succeeded((yield from lab.calls()), f"with tokenType {name}")
    lab.outlive()
    mark = len(lab.sightings)
    with _typed(lab, "mac"):
        (outcome,) = yield from lab.calls()
    used = any(s.is_api and s.token for s in lab.since(mark))
    lab.require(not used, "a token of the unknown type 'mac' was sent as a bearer token")
    lab.require(outcome.error is not None, "the call gave a result with an unknown tokenType")


@probe("TC-34")
def one_kind(lab: Lab) -> Flow[None]:
    """Both kinds of credentials would be at hand."""
    yield from lab.warm()
    yield from lab.calls()
    both = sum(restricted_and_bearer(s) for s in lab.sightings)
    lab.require(not both, f"{both} requests carried a bearer and a restricted access token")


@contextmanager
def _renamed(lab: Lab, rename: Rename) -> Iterator[None]:
    """The client gets its tokens under other names, which the lab translates back."""

    def give(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if (request.method, request.path) == TOKEN_REQUEST and lab.sandbox.tokens.newest:
            text = str(lab.sandbox.tokens.newest.text)
            lab.aliases[text] = rename(text)
            lab.also_secret.append(lab.aliases[text])
        return response

    with lab.intercepting(give):
        yield


@contextmanager
def _typed(lab: Lab, value: str | None) -> Iterator[None]:
    def edit(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if (request.method, request.path) != TOKEN_REQUEST:
            return response
        document = json.loads(response.body)
        document["data"].pop("tokenType", None)
        document["data"] |= {"tokenType": value} if value else {}
        return replace(response, body=json.dumps(document).encode())

    with lab.intercepting(edit):
        yield


def _other(
    text: str, *, header: dict[str, object] | None = None, claims: dict[str, object] | None = None
) -> str:
    """A JWT with parts replaced; its signature holds no more, which is not the client's matter."""
    head, body, signature = text.split(".")
    parts = (_merged(head, header or {}), _merged(body, claims or {}), f"AAAA{signature[4:]}")
    return ".".join(parts)


def _merged(part: str, changes: dict[str, object]) -> str:
    padded = part + "=" * (-len(part) % 4)
    document = json.loads(base64.urlsafe_b64decode(padded)) | changes
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
