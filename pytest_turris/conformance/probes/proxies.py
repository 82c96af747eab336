"""TC-36: where the credentials of a proxy go."""

import base64

from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.probes.redirects import redirected_to_itself
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.conformance.servers.proxy import loopback_proxy

PROXIES = RuleFamily()

_USER, _PASSWORD = "turris-proxy-user", "turris-proxy-password"
_BASIC = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_REDIRECT = 307


@PROXIES.rule(
    "TC-36",
    "Proxy credentials do not reach the API",
    does="Names a proxy with credentials in the environment, then exempts the API from it, and "
    "redirects a call.",
    why="Turris, or the server that a redirect names, gets the password of your network.",
    fix="Let the HTTP library handle the proxy; do not set Proxy-Authorization on the session.",
    usual_bug="the proxy's header is a header of the session",
    source="CVE-2023-32681",
    needs="new_client",
)
def _not_to_the_api(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    host = harness.requests[0].request.host.partition(":")[0]
    with loopback_proxy() as port:
        proxy = f"http://{_USER}:{_PASSWORD}@127.0.0.1:{port}"
        for exempt in ("", host):
            variables = dict.fromkeys(_NAMES, proxy) | {"NO_PROXY": exempt}
            both_cases = variables | {name.lower(): value for name, value in variables.items()}
            mark = len(harness.requests)
            with harness.environment(**both_cases), redirected_to_itself(harness, _REDIRECT):
                result = yield from harness.new_client()
            if not harness.since(mark):
                harness.not_applicable(f"the new client sent nothing to the API: {result}")
    for seen in harness.requests:
        where = seen.find([_BASIC, _PASSWORD])
        harness.require(not where, f"the proxy's credentials reached the API in {where}")
