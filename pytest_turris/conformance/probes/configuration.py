"""Clients made anew, from an environment that is wrong in one point."""

from pytest_turris.conformance.driver import Flow
from pytest_turris.conformance.harness import Lab
from pytest_turris.conformance.outcome import texts_of
from pytest_turris.conformance.probes.registry import probe
from pytest_turris.core.wire.hosts import HOSTS

_AROUND = {
    "a line feed after it": "{}\n",
    "CR LF after it": "{}\r\n",
    "a no-break space before it": "\u00a0{}",
    "a typographic quote around it": "\u2019{}\u2019",
}
_TELLING = ("401", "unauthorized", "invalid client credentials")


@probe("TC-17")
def https_only(lab: Lab) -> Flow[None]:
    """The base URL is http:// to a host that is not this machine."""
    yield from lab.warm()
    in_process = lab.sightings[0].in_process
    base_url = f"http://{HOSTS[lab.sandbox.options.environment]}"
    mark = len(lab.sightings)
    with lab.environment(base_url=base_url):
        if in_process:
            yield from lab.fresh()
        else:
            with lab.foreign.turris_leads_here():
                yield from lab.fresh()
    plain = lab.arrived(mark, base_url)
    lab.require(not plain, f"{len(plain)} requests were sent to {base_url} without TLS")


@probe("TC-18")
def certificates(lab: Lab) -> Flow[None]:
    """The base URL is a TLS server whose certificate nobody vouches for."""
    yield from lab.warm()
    mark = len(lab.sightings)
    base_url = f"https://localhost:{lab.foreign.port(tls=True)}"
    with lab.environment(base_url=base_url):
        yield from lab.fresh()
    reached = lab.arrived(mark, base_url)
    lab.require(
        not reached, f"{len(reached)} requests went to a server with an unknown certificate"
    )


@probe("TC-24")
def rotated(lab: Lab) -> Flow[None]:
    """The secret is rotated, the environment has the new one."""
    yield from lab.warm()
    client = lab.sandbox.credentials.rotate(lab.sandbox.client)
    lab.outlive()
    with lab.environment(client_secret=str(client.client_secret)):
        outcome = yield from lab.fresh()
        lab.succeeded([outcome], "in a client made anew after the secret was rotated")
        lab.succeeded(
            (yield from lab.calls()), "in the running client: it keeps the old secret until restart"
        )


@probe("TC-30")
def no_default(lab: Lab) -> Flow[None]:
    """The environment has no credentials."""
    with lab.environment(client_id=None, client_secret=None):
        outcome = yield from lab.fresh()
    asked = len(lab.token_requests)
    lab.require(
        not asked, f"without credentials in the environment {asked} token requests were made"
    )
    lab.require(outcome.error is not None, "the call gave a result without credentials")


@probe("TC-31")
def white_space(lab: Lab) -> Flow[None]:
    """The secret in the environment has something around it that is not part of it."""
    secret = str(lab.sandbox.client.client_secret)
    for name, form in _AROUND.items():
        with lab.traces() as traces, lab.environment(client_secret=form.format(secret)):
            outcome = yield from lab.fresh()
        shown = secret in texts_of(outcome.error)
        lab.require(not shown, f"with {name} the error shows the secret")
        where = traces.leak([secret])
        lab.require(not where, f"with {name} the secret shows in {where}")


@probe("TC-32")
def right_environment(lab: Lab) -> Flow[None]:
    """The environment is the other one, with credentials of its own."""
    yield from lab.warm()
    if not lab.sightings[0].in_process:
        lab.unobserved("over a socket both environments have the same address")
    production = lab.sandbox.options.environment == "sandbox"
    other = "production" if production else "sandbox"
    client = lab.sandbox.credentials.issue(environment=other)  # type: ignore[arg-type] # one of two
    mark = len(lab.sightings)
    with lab.environment(
        base_url=f"https://{HOSTS[other]}",  # type: ignore[index] # one of two
        client_id=client.client_id,
        client_secret=str(client.client_secret),
    ):
        outcome = yield from lab.fresh()
    for seen in lab.since(mark):
        lab.require(
            seen.request.host == HOSTS[other],  # type: ignore[index] # one of two
            f"configured for {other}, the client sent a request to {seen.request.host}",
        )
    lab.succeeded([outcome], f"when configured for {other}")


@probe("TC-33")
def clear_mismatch(lab: Lab) -> Flow[None]:
    """The credentials are of the other environment."""
    production = lab.sandbox.options.environment == "sandbox"
    client = lab.sandbox.credentials.issue(environment="production" if production else "sandbox")
    with lab.environment(client_id=client.client_id, client_secret=str(client.client_secret)):
        outcome = yield from lab.fresh()
    lab.require(outcome.error is not None, "the call gave a result with foreign credentials")
    text = texts_of(outcome.error).lower()
    lab.require(
        any(word in text for word in _TELLING),
        f"the error names neither the status nor Turris' message: {outcome}",
    )


@probe("TC-37")
def netrc(lab: Lab) -> Flow[None]:
    """A .netrc has an entry for the API's host."""
    yield from lab.warm()
    host = lab.sightings[0].request.host.partition(":")[0]
    mark = len(lab.sightings)
    with lab.directory() as directory:
        path = directory / "netrc"
        path.write_text(f"machine {host} login somebody password else\n")
        path.chmod(0o600)
        with lab.environment(NETRC=str(path)):
            outcome = yield from lab.fresh()
    sent = [s.request.header("authorization") for s in lab.since(mark)]
    if not sent:
        lab.unobserved(f"a client made anew sent nothing: {outcome}")
    basic = sum(value.startswith("Basic ") for value in sent)
    lab.require(not basic, f"{basic} requests carried the .netrc entry in place of the token")
