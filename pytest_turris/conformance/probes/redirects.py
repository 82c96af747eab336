"""TC-19 to TC-21, TC-35 and TC-65: where a credential goes when an answer leads elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.preconditions import renew, why_write_fails
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.faults.hostile.next_pages import SPELLINGS, with_next_page
from pytest_turris.core.middleware.interception import Handle
from pytest_turris.core.wire.hosts import DECOY_DOMAIN, LOOK_ALIKE, is_turris
from pytest_turris.core.wire.messages import Request, Response

REDIRECTS = RuleFamily()
_rule = REDIRECTS.rule

_IN_FRONT, _AS_USER, _IN_PATH = "in front of another", "as a user name", "in its path"
_AT_THE_END = "at the end of another"
_LOOK_ALIKES = (_IN_FRONT, _AS_USER, _IN_PATH, _AT_THE_END)
_FOUND = 302
CODES = (301, 302, 303, 307, 308)
_WHY = "A server that an answer names gets the credential, and can use the API."


@_rule(
    "TC-19",
    "No credential follows a redirect to http",
    does="Redirects calls to the same host without TLS.",
    why="Anyone on the network path can read the token.",
    fix="Do not follow redirects, which the API does not use; or stay on the same origin.",
    usual_bug="redirects are followed blindly",
    source="CVE-2018-18074, CVE-2022-31043",
)
def _downgrade(harness: ClientHarness) -> ProbeSteps[None]:
    yield from _redirect(harness, ("scheme",), token_endpoint=False)


@_rule(
    "TC-20",
    "No credential follows a redirect to another origin",
    does="Redirects calls to another host, and to another port of the same host.",
    why=_WHY,
    fix="Do not follow redirects, or remove all credentials when the origin changes.",
    usual_bug="every HTTP client forwards x-restricted-access-token and bodies",
    source="RFC 9110, 15.4; measured",
)
def _other_origin(harness: ClientHarness) -> ProbeSteps[None]:
    yield from _redirect(harness, ("host", "port"), token_endpoint=False)


@_rule(
    "TC-21",
    "The token request does not follow a redirect",
    does="Redirects token requests to another host, port and scheme.",
    why="The client secret is in the body, and a 307 or 308 repeats the body.",
    fix="Do not follow redirects of the token request.",
    usual_bug="a 307 repeats the body with clientSecret",
    source="RFC 9700, 4.12",
)
def _token_request(harness: ClientHarness) -> ProbeSteps[None]:
    yield from _redirect(harness, ("host", "port", "scheme"), token_endpoint=True)


@_rule(
    "TC-35",
    "The token goes to the API's host only",
    does=f"Names a next page on another host, in the common spellings: {SPELLINGS}.",
    why=_WHY,
    fix="Follow a link only if it has the origin of the base URL.",
    usual_bug="next links are followed with the session's headers",
    source="RFC 9700, 4.9",
)
def _other_next_page(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    with _next_page(harness, "host"):
        yield from harness.calls()
    _require_no_credential_elsewhere(harness, "to the next page that an answer named")


@_rule(
    "TC-65",
    "A host is compared as a whole",
    does="Names next pages, and redirects, whose URL only contains the API's host: at the "
    "beginning of another host, as a user name, in the path; or whose host only ends like it.",
    why=_WHY,
    fix="Compare scheme, host and port of the parsed URL with those of the base URL.",
    usual_bug="`if host in url`, url.startswith(base_url), or host.endswith('turrisfi.com')",
    source="CWE-1023; RFC 3986, 3.2.1",
)
def _look_alikes(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    with _next_page(harness, "host"):
        yield from harness.calls()
    if any(seen.elsewhere and seen.find(harness.secrets()) for seen in harness.requests):
        harness.not_applicable("the client follows links to every host: look at TC-35 first")
    for where in _LOOK_ALIKES if harness.requests[0].in_process else _LOOK_ALIKES[:-1]:
        with _next_page(harness, where):
            yield from harness.calls()
        _require_no_credential_elsewhere(harness, f"to a next page with the API's host {where}")
        with _redirected(harness, _FOUND, where, token_endpoint=False):
            yield from harness.calls()
        _require_no_credential_elsewhere(harness, f"after a redirect with the API's host {where}")


def _redirect(
    harness: ClientHarness, to: tuple[str, ...], *, token_endpoint: bool
) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    write_fails = "" if token_endpoint else (yield from why_write_fails(harness))
    redirected = False
    for where in to:
        if where == "scheme" and not _has_tls(harness):
            continue
        for code in CODES:
            with _redirected(harness, code, where, token_endpoint=token_endpoint):
                if token_endpoint:
                    harness.sandbox.limits.reset()
                    yield from renew(harness)
                else:
                    yield from harness.calls()
                if harness.client.write and not token_endpoint:
                    yield from harness.writes()
            redirected = True
            _require_no_credential_elsewhere(harness, f"after a {code} to another {where}")
    if not redirected:
        harness.not_applicable("the sandbox speaks plain HTTP here: ask for turris(tls=True)")
    if write_fails:
        harness.not_applicable(write_fails)


def _require_no_credential_elsewhere(harness: ClientHarness, how: str) -> None:
    secrets = harness.secrets()
    for seen in harness.requests:
        where = seen.find(secrets) if seen.elsewhere else ""
        harness.require(
            not where,
            f"a credential went to {seen.request.scheme}://{seen.request.host} in {where}, {how}",
        )


def _has_tls(harness: ClientHarness) -> bool:
    return harness.requests[0].request.scheme == "https"


def _elsewhere(harness: ClientHarness, request: Request, where: str) -> str:
    """Another place; in process a name that the door knows, over a socket a real listener."""
    path = request.target
    if not is_turris(request.host):
        host = request.host.partition(":")[0]
        other = "localhost" if host == "127.0.0.1" else "127.0.0.1"
        name = host if where in ("port", "scheme") else other
        user = f"{request.header('host')}@" if where in (_IN_FRONT, _AS_USER) else ""
        path = f"/{request.header('host')}{path}" if where == _IN_PATH else path
        return f"http://{user}{name}:{harness.elsewhere.port()}{path}"
    return {
        "host": f"https://collector{DECOY_DOMAIN}{path}",
        _IN_FRONT: f"https://{request.host}{DECOY_DOMAIN}{path}",
        _AS_USER: f"https://{request.host}@collector{DECOY_DOMAIN}{path}",
        _IN_PATH: f"https://collector{DECOY_DOMAIN}/{request.host}{path}",
        _AT_THE_END: f"https://{LOOK_ALIKE}{path}",
        "port": f"https://{request.host}:8443{path}",
        "scheme": f"http://{request.host}{path}",
    }[where]


@contextmanager
def _redirected(
    harness: ClientHarness, code: int, where: str, *, token_endpoint: bool
) -> Iterator[None]:
    def lead(request: Request, handle: Handle) -> Response:
        mine = request.is_token_request == token_endpoint
        if not mine or harness.requests[-1].elsewhere:
            return handle(request)
        location = _elsewhere(harness, request, where)
        return Response(status=code, headers=(("location", location),))

    with harness.intercepting(lead):
        yield


@contextmanager
def redirected_to_itself(harness: ClientHarness, code: int) -> Iterator[None]:
    """The next call of the API is redirected once, to the same URL."""
    done = False

    def lead(request: Request, handle: Handle) -> Response:
        nonlocal done
        if request.is_token_request or done:
            return handle(request)
        done = True
        return Response(status=code, headers=(("location", request.path),))

    with harness.intercepting(lead):
        yield


@contextmanager
def _next_page(harness: ClientHarness, where: str) -> Iterator[None]:
    def name(request: Request, handle: Handle) -> Response:
        response = handle(request)
        if request.is_token_request:
            return response
        return with_next_page(response, _elsewhere(harness, request, where))

    with harness.intercepting(name):
        yield
