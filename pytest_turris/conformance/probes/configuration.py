"""TC-17, TC-18, TC-24, TC-30 to TC-33, TC-37: new clients, from an environment with a fault."""

from pytest_turris.conformance.call_result import reprs_of, texts_of
from pytest_turris.conformance.driver import ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.text.plurals import counted
from pytest_turris.core.wire.hosts import HOSTS

CONFIGURATION = RuleFamily()
_rule = CONFIGURATION.rule

_AROUND = {
    "a line feed after it": "{}\n",
    "CR LF after it": "{}\r\n",
    "a no-break space before it": "\u00a0{}",
    "a typographic quote around it": "\u2019{}\u2019",
}
_CLEAR = ("401", "unauthorized", "invalid client credentials")


@_rule(
    "TC-17",
    "Requests go over HTTPS only",
    does="Makes a client whose base URL is http:// and a host other than this machine.",
    why="Anyone on the network path can read the credentials.",
    fix="Refuse a base URL whose scheme is not https, unless its host is this machine.",
    usual_bug="the scheme of the base URL is not checked",
    source="vendor: always HTTPS; RFC 6749, 10.8",
    needs="new_client",
)
def _https_only(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    in_process = harness.requests[0].in_process
    base_url = f"http://{HOSTS[harness.sandbox.options.environment]}"
    mark = len(harness.requests)
    with harness.environment(base_url=base_url):
        if in_process:
            yield from harness.new_client()
        else:
            with harness.elsewhere.in_place_of_turris():
                yield from harness.new_client()
    plain = harness.sent_elsewhere(mark, base_url)
    sent = counted(len(plain), "request")
    harness.require(not plain, f"the client sent {sent} to {base_url}, without TLS")


@_rule(
    "TC-18",
    "Certificates are verified",
    does="Makes a client whose base URL is a TLS server with a certificate of an unknown issuer.",
    why="Anyone who can redirect the traffic can read the credentials, TLS or not.",
    fix="Keep the verification of certificates on; add your own authority to the trust store.",
    usual_bug="verify=False is left over from work behind a proxy",
    source="RFC 6749, 10.9; RFC 6750, 5.3",
    needs="new_client",
)
def _certificates(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    mark = len(harness.requests)
    base_url = f"https://localhost:{harness.elsewhere.port(tls=True)}"
    with harness.environment(base_url=base_url):
        yield from harness.new_client()
    reached = harness.sent_elsewhere(mark, base_url)
    sent = counted(len(reached), "request")
    harness.require(not reached, f"the client sent {sent} to a server with an unknown certificate")


@_rule(
    "TC-24",
    "A rotated secret is picked up",
    does="Rotates the secret in Turris and in the environment.",
    why="Each rotation needs a restart of all processes at the same moment.",
    fix="Read the secret whenever a token is requested, not once.",
    usual_bug="the secret is read when the module is imported",
    source="vendor: rotate credentials",
    level="should",
    needs="new_client",
)
def _rotated(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    client = harness.sandbox.credentials.rotate(harness.sandbox.client)
    yield from harness.past_expiry()
    with harness.environment(client_secret=str(client.client_secret)):
        result = yield from harness.new_client()
        harness.require_success([result], "in a client made after the secret was rotated")
        harness.require_success(
            (yield from harness.calls()),
            "in the running client: it keeps the old secret until a restart",
        )


@_rule(
    "TC-30",
    "Credentials come from the configuration only",
    does="Makes a client in an environment without credentials.",
    why="A default in the code is a secret in the repository, and hides a missing variable.",
    fix="Raise an error if a credential is missing; have no default.",
    usual_bug="the code has default credentials",
    source="vendor: environment variables",
    needs="new_client",
)
def _no_default(harness: ClientHarness) -> ProbeSteps[None]:
    with harness.environment(client_id=None, client_secret=None):
        result = yield from harness.new_client()
    asked = len(harness.token_requests)
    asked_text = counted(asked, "token request")
    harness.require(
        not asked, f"without credentials in the environment the client made {asked_text}"
    )
    harness.require(result.error is not None, "the call returned a result without credentials")


@_rule(
    "TC-31",
    "An error about a malformed secret does not show it",
    does="Makes clients whose secret has a line feed, a space or a quote around it.",
    why="A stray character in a secret store puts the secret into the logs.",
    fix="Strip white space from the secret, and check its characters, before it is used.",
    usual_bug="the HTTP library's error contains the header",
    source="java-slack-sdk issue 566",
    needs="new_client",
)
def _malformed_secret(harness: ClientHarness) -> ProbeSteps[None]:
    secret = str(harness.sandbox.client.client_secret)
    for name, form in _AROUND.items():
        with harness.traces() as traces, harness.environment(client_secret=form.format(secret)):
            result = yield from harness.new_client()
        shown = secret in texts_of(result.error) + reprs_of(result.error)
        harness.require(not shown, f"with {name} the error shows the secret")
        where = traces.find_secret([secret])
        harness.require(not where, f"with {name} the secret shows in {where}")


@_rule(
    "TC-32",
    "The configured environment is called",
    does="Makes a client for the other environment, with credentials of that environment.",
    why="Tests write to production, or production reads the sandbox.",
    fix="Read the base URL from the configuration, with no host in the code.",
    usual_bug="the host is in the code",
    source="vendor: separate credentials; churnkey/sdk pull 14",
    needs="new_client",
)
def _right_environment(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    if not harness.requests[0].in_process:
        harness.not_applicable("over a socket both environments have the same address")
    production = harness.sandbox.options.environment == "sandbox"
    other = "production" if production else "sandbox"
    client = harness.sandbox.credentials.issue(environment=other)  # type: ignore[arg-type] # one of two
    mark = len(harness.requests)
    with harness.environment(
        base_url=f"https://{HOSTS[other]}",  # type: ignore[index] # one of two
        client_id=client.client_id,
        client_secret=str(client.client_secret),
    ):
        result = yield from harness.new_client()
    for seen in harness.since(mark):
        harness.require(
            seen.request.host == HOSTS[other],  # type: ignore[index] # one of two
            f"configured for {other}, the client sent a request to {seen.request.host}",
        )
    harness.require_success([result], f"when configured for {other}")


@_rule(
    "TC-33",
    "Credentials of the other environment give a clear error",
    does="Makes a client with credentials of the other environment.",
    why="The most frequent mistake of a first set-up takes hours to find.",
    fix="Let the error contain the status or Turris's message; both together are best.",
    usual_bug="the error is a generic text without status or message",
    source="paddle-node-sdk issue 177",
    level="should",
    needs="new_client",
)
def _clear_mismatch(harness: ClientHarness) -> ProbeSteps[None]:
    production = harness.sandbox.options.environment == "sandbox"
    other = "production" if production else "sandbox"
    client = harness.sandbox.credentials.issue(environment=other)  # type: ignore[arg-type] # one of two
    with harness.environment(client_id=client.client_id, client_secret=str(client.client_secret)):
        result = yield from harness.new_client()
    harness.require(
        result.error is not None, "the call succeeded with credentials of the other environment"
    )
    text = texts_of(result.error).lower()
    harness.require(
        any(word in text for word in _CLEAR),
        f"the error has neither the status nor Turris's message: {result}",
    )


@_rule(
    "TC-37",
    "A .netrc does not replace the token",
    does="Makes a client with a .netrc that has an entry for the API's host.",
    why="Calls fail with 401 on one developer's machine, and a password goes to Turris.",
    fix="Set trust_env = False on the session, or send the token with an auth object.",
    usual_bug="requests reads .netrc unless trust_env is False",
    source="CVE-2024-47081",
    needs="new_client",
)
def _netrc(harness: ClientHarness) -> ProbeSteps[None]:
    yield from harness.get_first_token()
    without = yield from harness.new_client()
    if without.error is not None:
        harness.not_applicable(f"the new client fails without a .netrc too: {without}")
    host = harness.requests[0].request.host.partition(":")[0]
    mark = len(harness.requests)
    with harness.directory() as directory:
        path = directory / "netrc"
        path.write_text(f"machine {host} login other password other\n")
        path.chmod(0o600)
        with harness.environment(NETRC=str(path)):
            result = yield from harness.new_client()
    sent = harness.since(mark)
    basic = [s for s in sent if s.request.header("authorization").startswith("Basic ")]
    replaced = counted(sum(seen.is_api for seen in basic), "request")
    got = f"{replaced} carried the .netrc entry in place of the token"
    harness.require(not any(seen.is_api for seen in basic), got)
    # A token request carries no token that the entry could replace.
    harness.require(result.error is None, f"with the .netrc entry the call fails: {result}")
    harness.recommend(not basic, "a token request carried the .netrc entry, for nothing", "info")
