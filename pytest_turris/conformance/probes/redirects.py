"""Where a credential ends up when an answer leads elsewhere."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.hosts import DECOY_DOMAIN, is_turris
from pytest_turris.core.wire.messages import Request, Response

CODES = (301, 302, 303, 307, 308)


@probe("TC-19")
def downgrade(lab: Lab) -> Flow[None]:
    """The same host, without TLS."""
    yield from _lead(lab, ("scheme",), token_endpoint=False)


@probe("TC-20")
def other_origin(lab: Lab) -> Flow[None]:
    """Another host, and another port of the same host."""
    yield from _lead(lab, ("host", "port"), token_endpoint=False)


@probe("TC-21")
def token_request(lab: Lab) -> Flow[None]:
    """The token endpoint leads to another host, port and scheme."""
    yield from _lead(lab, ("host", "port", "scheme"), token_endpoint=True)


@probe("TC-35")
def next_page(lab: Lab) -> Flow[None]:
    """An answer names a next page on another host."""
    yield from lab.warm()
    with _next_page(lab):
        yield from lab.calls()
    _require_nothing_abroad(lab, "for a next page that an answer named")


def _lead(lab: Lab, to: tuple[str, ...], *, token_endpoint: bool) -> Flow[None]:
    yield from lab.warm()
    lead_away = False
    for where in to:
        if where == "scheme" and not _has_tls(lab):
            continue
        for code in CODES:
            if token_endpoint:
                lab.outlive()
                lab.sandbox.limits.reset()
            with _redirected(lab, code, where, token_endpoint=token_endpoint):
                yield from lab.calls()
                if lab.subject.write and not token_endpoint:
                    yield from lab.writes()
            lead_away = True
            _require_nothing_abroad(lab, f"by a {code} to another {where}")
    if not lead_away:
        lab.unobserved("the sandbox speaks plain HTTP here: ask for turris(tls=True)")


def _require_nothing_abroad(lab: Lab, how: str) -> None:
    needles = lab.needles()
    for seen in lab.sightings:
        where = seen.holds(needles) if seen.foreign else ""
        lab.require(
            not where, f"a credential went to {seen.request.scheme}://{seen.request.host} in "
            f"{where}, led there {how}",
        )  # fmt: skip


def _has_tls(lab: Lab) -> bool:
    return lab.sightings[0].request.scheme == "https"


def _elsewhere(lab: Lab, request: Request, where: str) -> str:
    """Another place; in process a name that the door knows, over a socket a real listener."""
    path = request.target
    if not is_turris(request.host):
        host = request.host.partition(":")[0]
        other = "localhost" if host == "127.0.0.1" else "127.0.0.1"
        name = other if where == "host" else host
        return f"http://{name}:{lab.foreign.port()}{path}"
    return {
        "host": f"https://collector{DECOY_DOMAIN}{path}",
        "port": f"https://{request.host}:8443{path}",
        "scheme": f"http://{request.host}{path}",
    }[where]


@contextmanager
def _redirected(lab: Lab, code: int, where: str, *, token_endpoint: bool) -> Iterator[None]:
    def lead(request: Request, handle: Handle) -> Response:
        mine = ((request.method, request.path) == TOKEN_REQUEST) == token_endpoint
        if not mine or lab.sightings[-1].foreign:
            return handle(request)
        location = _elsewhere(lab, request, where)
        return Response(status=code, headers=(("location", location),))

    with lab.intercepting(lead):
        yield


@contextmanager
def led_home(lab: Lab, code: int) -> Iterator[None]:
    """The next call of the API is redirected once, to itself."""
    done = False

    def lead(request: Request, handle: Handle) -> Response:
        nonlocal done
        if (request.method, request.path) == TOKEN_REQUEST or done:
            return handle(request)
        done = True
        return Response(status=code, headers=(("location", request.path),))

    with lab.intercepting(lead):
        yield


@contextmanager
def _next_page(lab: Lab) -> Iterator[None]:
    def name(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if (request.method, request.path) == TOKEN_REQUEST or lab.sightings[-1].foreign:
            return response
        url = _elsewhere(lab, request, "host")
        try:
            document = json.loads(response.body)
        except ValueError:
            return response
        document |= {"next": url, "links": {"next": url}, "meta": {"next": url}}
        link = ("link", f'<{url}>; rel="next"')
        body = json.dumps(document).encode()
        return replace(response, headers=(*response.headers, link), body=body)

    with lab.intercepting(name):
        yield
