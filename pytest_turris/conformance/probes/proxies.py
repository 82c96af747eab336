"""Where the credentials of a proxy end up."""

import base64

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.probes.redirects import led_home
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.conformance.proxy import loopback_proxy

_USER, _PASSWORD = "turris-proxy-user", "turris-proxy-password"
_BASIC = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_REDIRECT = 307


@probe("TC-36")
def not_to_the_api(lab: Lab) -> Flow[None]:
    """The environment names a proxy with credentials, then exempts the API; there is a redirect."""
    yield from lab.warm()
    host = lab.sightings[0].request.host.partition(":")[0]
    with loopback_proxy() as port:
        proxy = f"http://{_USER}:{_PASSWORD}@127.0.0.1:{port}"
        for exempt in ("", host):
            variables = dict.fromkeys(_NAMES, proxy) | {"NO_PROXY": exempt}
            both_cases = variables | {name.lower(): value for name, value in variables.items()}
            mark = len(lab.sightings)
            with lab.environment(**both_cases), led_home(lab, _REDIRECT):
                outcome = yield from lab.fresh()
            if not lab.since(mark):
                lab.unobserved(f"a client made anew sent nothing to the API: {outcome}")
    for seen in lab.sightings:
        where = seen.holds([_BASIC, _PASSWORD])
        lab.require(not where, f"the credentials of the proxy reached the API in {where}")
