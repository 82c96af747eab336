"""TC-56 and TC-57: whose token a client sends, if there are several credentials."""

from pytest_turris.conformance.driver import ClientCall, Perform, ProbeSteps
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.rule import RuleFamily
from pytest_turris.core.access.credential import ApiClient
from pytest_turris.core.wire.hosts import HOSTS

TENANT_RULES = RuleFamily()
_rule = TENANT_RULES.rule


@_rule(
    "TC-56",
    "Each API client's calls carry its own token",
    does="Makes clients with the credentials of another API client, and lets both make calls in "
    "turn.",
    why="One tenant reads and changes the data of another.",
    fix="Keep the token in the client, or make the client id part of the key of the cache.",
    usual_bug="the token is an attribute of the class or the module, or its file has a fixed name",
    source="RFC 6749, 2.3 and 4.4: a token is issued to one client",
    needs="new_client",
)
def _tenants(harness: ClientHarness) -> ProbeSteps[None]:
    other = harness.sandbox.credentials.issue(environment=harness.sandbox.options.environment)
    yield from _take_turns(harness, other, None)


@_rule(
    "TC-57",
    "A token of one environment is not used in the other",
    does="Makes clients for the other environment, and lets both make calls in turn.",
    why="A test reads production, or production is answered by the sandbox.",
    fix="Make the base URL and the client id part of the key of the cache.",
    usual_bug="one file or one cache holds the token of both environments",
    source="vendor: separate credentials",
    needs="new_client",
)
def _environments(harness: ClientHarness) -> ProbeSteps[None]:
    production = harness.sandbox.options.environment == "sandbox"
    name = "production" if production else "sandbox"
    other = harness.sandbox.credentials.issue(environment=name)  # type: ignore[arg-type] # one of two
    yield from _take_turns(harness, other, f"https://{HOSTS[name]}")  # type: ignore[index] # one of two


def _take_turns(harness: ClientHarness, other: ApiClient, base_url: str | None) -> ProbeSteps[None]:
    ours = harness.sandbox.client
    yield from harness.get_first_token()
    if base_url and not harness.requests[0].in_process:
        harness.not_applicable("over a socket both environments have the same address")
    variables = {"client_id": other.client_id, "client_secret": str(other.client_secret)}
    if base_url:
        variables["base_url"] = base_url
    with harness.environment(**variables):
        call = yield from harness.make_client()
        yield from _require_other(harness, call, other)
        yield from _call_as(harness, call, other)
    yield from _call_as(harness, harness.client.call, ours)
    with harness.environment(**variables):
        yield from _call_as(harness, call, other)
        yield from _call_as(harness, (yield from harness.make_client()), other)
    yield from _call_as(harness, harness.client.call, ours)


def _require_other(harness: ClientHarness, call: ClientCall, other: ApiClient) -> ProbeSteps[None]:
    """The client asks for tokens as the other API client, at the latest when it has to ask.

    Raises:
        NotApplicableError: It does not, so it did not read the environment.
    """
    for _ in range(0 if call == harness.client.call else 2):
        mark = len(harness.requests)
        yield Perform((call,))
        asked = [seen.request.body for seen in harness.since(mark) if seen.is_token_request]
        if any(other.client_id.encode() in body for body in asked):
            return
        yield from harness.past_expiry()
    harness.not_applicable(
        "new_client made a client with other credentials than those of the environment: it has to "
        "read the environment"
    )


def _call_as(harness: ClientHarness, call: ClientCall, client: ApiClient) -> ProbeSteps[None]:
    mark = len(harness.requests)
    yield Perform((call,))
    for seen in harness.since(mark):
        owner = seen.token.client_id if seen.is_api and seen.token else client.client_id
        harness.require(
            owner == client.client_id,
            f"a call of the API client {client.client_id} carried the token of {owner}",
        )
