"""Rows of the fidelity table that no option changes: the table has them, and they are true."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.api_recipes import PDF, form
from doubles.sandbox_client import INVITATION, INVITE, Client

from pytest_turris.core.fidelity import FIDELITY

AGENTS = "/v1/agents"
NOBODY = "0" * 24


def statuses(caller: Client, *calls: tuple[str, dict[str, Any] | None]) -> list[int]:
    """The status of each GET, or POST of a document."""
    return [
        (caller.get(path) if document is None else caller.post(path, document)).status
        for path, document in calls
    ]


def invited(**members: object) -> tuple[str, dict[str, Any]]:
    """An invitation with these members."""
    return INVITE, INVITATION | members


def v2_beta(caller: Client) -> None:
    """It is an unknown path."""
    assert statuses(caller, ("/v2-beta/agents", None)) == [404]


def permissions(caller: Client) -> None:
    """A lookup needs the permission to write."""
    caller.sandbox.client.permissions = frozenset({"read"})
    lookup = ("/v1/npn-lookup", {"npns": ["1"]})
    assert statuses(caller, (AGENTS, None), lookup) == [200, 403]


def bearer_without_permission(caller: Client) -> None:
    """A restricted token that may write does not help."""
    caller.sandbox.client.permissions = frozenset({"read"})
    restricted = caller.sandbox.credentials.issue_restricted()
    headers = {"x-restricted-access-token": restricted.token}
    assert caller.post(AGENTS, {"npn": "1"}, headers).status == 403


def validation(caller: Client) -> None:
    """A missing member is a 400."""
    assert statuses(caller, (AGENTS, {})) == [400]


def unknown_path(caller: Client) -> None:
    """Without a token, too."""
    paths = ("/v1/nothing", None), (AGENTS, None)
    assert statuses(Client(caller.sandbox), *paths) == [404, 401]


def empty_text(caller: Client) -> None:
    """A name or a number, and a code."""
    calls = invited(firstName=""), (AGENTS, {"npn": ""}), invited(producerCode="")
    assert statuses(caller, *calls) == [400, 400, 201]


def other_content_type(caller: Client) -> None:
    """The required member is missing."""
    for headers in ({"content-type": "text/plain"}, None):
        answer = caller.send("POST", AGENTS, headers=headers, body=b'{"npn":"1"}')
        assert answer.json()["errorMessage"] == ["Field 'npn' is required"]


def ids(caller: Client) -> None:
    """In queries and in a body."""
    agent = caller.sandbox.agents.add()
    at = "downstreamEntityAssociationId"
    compliance = f"{AGENTS}/{agent.id}/license-compliance-statuses?stateCode=CA"
    calls = (
        (f"{AGENTS}?{at}=x", None), (AGENTS, {"npn": "1", at: "x"}),
        (f"{AGENTS}?{at}={NOBODY}", None), (f"/v1/contacts?{at}={NOBODY}", None),
        (f"{compliance}&productId={NOBODY}", None),
    )  # fmt: skip
    assert statuses(caller, *calls) == [400, 400, 200, 200, 404]


def token_windows(caller: Client) -> None:
    """Ten unknown ids use up the window of all, but not that of the known one."""
    malformed: list[int] = [caller.post("/v1/auth/jwt", {"clientId": 5}).status for _ in range(11)]
    unknown: list[int] = [caller.ask_for_token(f"unknown {n}").status for n in range(11)]
    known = caller.ask_for_token().status
    assert (malformed, unknown, known) == ([400] * 11, [401] * 10 + [429], 201)


def middle_name(caller: Client) -> None:
    """It is taken, and sent back."""
    created = caller.post(AGENTS, {"npn": "1", "middleName": "Q"}).json()["data"]
    assert created["agent"]["middleName"] == "Q"


def producer_agreement(caller: Client) -> None:
    """The deprecated id excludes nothing."""
    template = caller.sandbox.templates.add()
    agreement = template.producer_agreement.file_document_id
    reviewed = {"isPreContractReviewStepUsed": True}
    call = invited(producerAgreementId=agreement, onboardingSettings=reviewed)
    assert statuses(caller, call) == [201]


def custom_field_values(caller: Client) -> None:
    """With a template, and without one."""
    template, values = caller.sandbox.templates.add(), {"unknown": 1}
    named = invited(contractContainerTemplateId=template.id, customFieldValues=values)
    assert statuses(caller, named, invited(customFieldValues=values)) == [400, 201]


def fixed_words(caller: Client) -> None:
    """Until a test sets them."""
    agent = caller.sandbox.agents.add()
    agency = caller.sandbox.associations.add()
    held = caller.sandbox.licenses.add(npn=agent.npn)
    subscriptions = [agent.nipr_data_subscription, agency.nipr_data_subscription]
    models = [(one.data_owner_model, one.entity_model) for one in subscriptions if one]
    words = [("UpstreamEntity", "Agent"), ("UpstreamEntity", "DownstreamEntity")]
    assert models == words
    assert (held.residency_status, agent.onboarding_category) == ("resident", "addition")
    caller.sandbox.agents.update(agent, onboarding_category="removal")
    assert agent.onboarding_category == "removal"


def metadata_model(caller: Client) -> None:
    """Until a test sets it."""
    document = caller.sandbox.documents.add(category="W9")
    (version,) = document.versions
    assert version.metadata_model == "FileDocumentMetadata"
    changed = version.model_copy(update={"metadata_model": "W9"})
    caller.sandbox.documents.update(document, versions=[changed])
    assert document.versions == [changed]


def extraction_status(caller: Client) -> None:
    """Of what is added, and of an uploaded file before and after it is read."""
    agency = caller.sandbox.associations.add()
    fields = {"category": "Cyber", "downstreamEntityAssociationId": agency.id}
    headers, body = form(fields, PDF, "application/pdf")
    caller.send("POST", "/v1/file-documents", headers=headers, body=body)
    path = f"/v1/downstream-entity-associations/{agency.id}/policy-compliance-statuses"

    def status() -> object:
        return caller.get(path).json()["data"]["cyber"]["dataExtractionStatus"]

    assert status() == "queued"
    caller.sandbox.clock.advance(minutes=2)
    assert status() == "completed"


ROWS: dict[str, Callable[[Client], None]] = {
    "`/v2-beta`": v2_beta,
    "Permissions are `read`, for every GET": permissions,
    "A valid bearer token without the permission": bearer_without_permission,
    "A failed validation is a 400": validation,
    "An unknown path is a 404 with or without": unknown_path,
    "An empty text is a 400": empty_text,
    "A body with another `Content-Type`": other_content_type,
    "A malformed id in a query": ids,
    "Token requests with an unknown `clientId`": token_windows,
    "`middleName`, in a body and in answers": middle_name,
    "`producerAgreementId` together with": producer_agreement,
    "`customFieldValues` that the template does not have": custom_field_values,
    "Fixed words": fixed_words,
    "`metadataModel` of a version": metadata_model,
    "`dataExtractionStatus` is": extraction_status,
}
"""How the text of a row begins, and whether the sandbox does what it says."""


@pytest.mark.parametrize("row", ROWS)
def test_a_row_that_no_option_changes_is_true(caller: Client, row: str) -> None:
    """The table has one such row, assumed or disputed, and the sandbox behaves as it says."""
    (found,) = [one for one in FIDELITY if one.what.startswith(row)]
    assert found.provenance in ("assumed", "disputed")
    ROWS[row](caller)
