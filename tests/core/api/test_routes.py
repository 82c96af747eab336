"""The route table: order, names, and how a request finds its operation."""

import re

import pytest
from doubles.sandbox_client import Client, refusal

from pytest_turris.core.api.router import ROUTES
from pytest_turris.core.api.routes import OPERATIONS

DOCUMENTED_ORDER = [
    "get_oauth_token", "test_oauth", "test_restricted_access_token", "jwks", "list_agents",
    "create_agent", "get_agent", "sync_agent", "list_agent_appointments", "get_agent_compliance",
    "list_regulatory_actions", "list_associations", "invite", "dangerously_invite",
    "add_association", "dangerously_add", "list_surplus_lines", "dangerously_list_surplus_lines",
    "get_association", "get_sign_in_url", "sync_association", "list_licenses",
    "list_association_appointments", "get_association_compliance", "get_policy_compliance",
    "get_subscription_status", "list_templates", "list_documents", "upload_document",
    "get_product", "lookup_npns", "list_contacts", "get_contact", "list_policies", "get_policy",
    "upload_policy_file", "get_upload_status", "register_webhook", "list_webhooks", "get_webhook",
    "delete_webhook", "enable_webhook", "list_webhook_deliveries", "resend_webhook_delivery",
    "test_webhook",
]  # fmt: skip

UNKNOWN = (404, "not_found", ["Resource not found"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_operation_is_found_by_method_and_path(operation: object) -> None:
    """The table and the lookup agree, parameters filled in."""
    found = next(known for known in OPERATIONS if known is operation)
    path = re.sub(r"{\w+}", "507f1f77bcf86cd799439011", found.path)
    assert ROUTES.find(found.method, path)[0] is found


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_each_operation_has_three_names(operation: object) -> None:
    """Its name, its operation id and ``METHOD /path``."""
    found = next(known for known in OPERATIONS if known is operation)
    for name in (found.name, found.operation_id, f"{found.method} {found.path}"):
        assert ROUTES.resolve(name) == found.name


def test_no_two_operations_share_a_name_or_a_path() -> None:
    """No row of the table hides another."""
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.operation_id for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_operations_keep_the_order_of_the_reference() -> None:
    """The OpenAPI description and the page of the HTTP API list them in this order."""
    names = [operation.name for operation in OPERATIONS]
    assert [name for name in names if name in DOCUMENTED_ORDER] == DOCUMENTED_ORDER


def test_parameters_are_percent_decoded() -> None:
    """A path parameter reaches the operation as text."""
    _, parameters = ROUTES.find("GET", "/v1/agents/a%20b%2Fc")
    assert parameters == {"agentId": "a b/c"}


def test_a_literal_segment_comes_before_a_parameter() -> None:
    """``POST .../invite`` is not taken for an association's id."""
    operation, parameters = ROUTES.find("POST", "/v1/downstream-entity-associations/invite")
    assert (operation.name, parameters) == ("invite", {})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/agents",
        "/v1/agents/",
        "//v1/agents",
        "/v1//agents",
        "/V1/agents",
        "/v1/Agents",
        "/v1/agents/x/y/z/w",
        "/v2-beta/agents",
        "/v1/agents/../agents",
        "/v1/%61gents",
        "v1/agents",
    ],
)
def test_paths_match_exactly(caller: Client, path: str) -> None:
    """Another case, an extra slash or a withdrawn version is a 404."""
    assert refusal(caller.get(path)) == UNKNOWN
    assert caller.sandbox.journal[-1].operation is None


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "get", "BREW", ""])
def test_another_method_is_unknown(caller: Client, method: str) -> None:
    """A known path with another method is a 404 too (assumed), and the journal says why."""
    assert caller.send(method, "/v1/agents").status == 404
    reason = caller.sandbox.journal[-1].reason
    assert reason == f"/v1/agents is known with GET, POST, not with {method}"


def test_an_unknown_path_is_refused_before_authentication(client: Client) -> None:
    """A path without an operation is a 404 without a credential too."""
    assert refusal(client.get("/nowhere")) == UNKNOWN


def test_the_journal_names_the_nearest_operation(caller: Client) -> None:
    """A typo in a path: the reason suggests the path that was probably meant."""
    caller.get("/v1/agent")
    assert caller.sandbox.journal[-1].reason == (
        "no documented operation has this method and path; the nearest is GET /v1/agents"
    )


def test_the_journal_suggests_only_similar_paths(caller: Client) -> None:
    """A path that is not similar to any gets no suggestion."""
    caller.send("XXXX", "/" + "q" * 5_000)
    assert caller.sandbox.journal[-1].reason == ("no documented operation has this method and path")


def test_an_unknown_name_is_refused_with_the_nearest(client: Client) -> None:
    """A misspelt operation raises where the test names it; what is like none gets the list."""
    with pytest.raises(ValueError, match="there is no operation 'list_agent'") as caught:
        ROUTES.resolve("list_agent")
    assert str(caught.value).endswith("; did you mean 'list_agents'?")
    with pytest.raises(ValueError, match="there is no operation 'x'; use one of add_association,"):
        ROUTES.resolve("x")


def test_a_star_is_any_operation() -> None:
    """``*`` is returned as it is."""
    assert ROUTES.resolve("*") == "*"
