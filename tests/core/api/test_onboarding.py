"""Onboarding: invite or add an agency, templates, custom fields, agreements, the sunset."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import INVITATION, INVITE, Client, refusal

from pytest_turris.core.resources.record import RecordError

DEA = "/v1/downstream-entity-associations"
NOBODY = "000000000000000000000000"
CATEGORIES = (
    "category must be one of the following values: agency, agency network, wholesale brokerage, "
    "third party administrator"
)
ADDITION: dict[str, Any] = {
    "firstName": "John",
    "lastName": "Doe",
    "email": "john.doe@example.com",
    "isNpnRequired": False,
    "category": "agency",
    "downstreamEntityName": "ABC Insurance Agency",
}


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("add", ADDITION | {"downstreamEntityNpn": "12345678"}),
        ("dangerously-add", ADDITION | {"downstreamEntityNpn": "12345678"}),
        ("invite", INVITATION),
        ("dangerously-invite", INVITATION),
    ],
)
def test_a_new_association_is_found(caller: Client, path: str, document: dict[str, Any]) -> None:
    """By e-mail, domain, NPN, or license number with state; its user is a contact."""
    assert caller.post(f"{DEA}/{path}", document).status == 201
    (association,) = caller.sandbox.associations
    queries = ["email=JOHN.doe@example.com", "emailDomain=example.com"]
    if association.npn is None:
        caller.sandbox.associations.update(association, downstream_entity_npn="12345678")
    caller.sandbox.licenses.add(npn="12345678", license_number="L1", state_code="CA")
    caller.sandbox.clock.advance(minutes=2)  # the first fetch is done, and brings the license
    queries += ["downstreamEntityNpn=12345678", "licenseNumber=L1&stateCode=CA"]
    for query in queries:
        (found,) = caller.get(f"{DEA}?{query}").json()["data"]
        assert found["_id"] == association.id
    (contact,) = caller.get("/v1/contacts").json()["data"]
    assert (contact["email"], contact["associations"][0]["isPrimary"]) == (
        "john.doe@example.com",
        True,
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"isNpnRequired": True}, "downstreamEntityNpn is required when isNpnRequired is true"),
        ({"parentProducerCode": "P"}, "branchName is required when parentProducerCode is provided"),
        (
            {"downstreamEntityName": None},
            "downstreamEntityName is required when downstreamEntityNpn is not provided",
        ),
        ({"category": "bank"}, CATEGORIES),
    ],
)  # fmt: skip
def test_the_documented_conditions(caller: Client, members: dict[str, Any], message: str) -> None:
    """The dangerous variant checks its body too; nothing is added."""
    for path in ("add", "dangerously-add"):
        assert refusal(caller.post(f"{DEA}/{path}", ADDITION | members)) == (
            400,
            "invalid_input",
            [message],
        )
    assert len(caller.sandbox.associations) == 0


def test_all_failed_rules_are_reported_at_once(caller: Client) -> None:
    """Rules of single members and rules between members."""
    messages = refusal(caller.post(f"{DEA}/add", {"isNpnRequired": True, "email": 3}))[2]
    assert messages == [
        "Field 'firstName' is required",
        "Field 'lastName' is required",
        "email must be a string",
        "Field 'category' is required",
        "downstreamEntityNpn is required when isNpnRequired is true",
        "downstreamEntityName is required when downstreamEntityNpn is not provided",
    ]


def test_the_dangerous_variants_skip_checks_of_state(caller: Client) -> None:
    """A producer code in use, an unknown parent, an unknown template."""
    caller.sandbox.associations.add(producer_code="P-1")
    taken = ADDITION | {"producerCode": "P-1", "parentDownstreamEntityAssociationId": NOBODY}
    assert caller.post(f"{DEA}/add", taken).status == 400
    assert caller.post(f"{DEA}/dangerously-add", taken).status == 201
    unknown = INVITATION | {"contractContainerTemplateId": NOBODY}
    assert caller.post(INVITE, unknown).status == 400
    assert caller.post(f"{DEA}/dangerously-invite", unknown).status == 201


def test_an_invitation_names_a_template_by_its_own_id(caller: Client) -> None:
    """Active templates are listed; the id of a template's PDF is refused as documented."""
    template = caller.sandbox.templates.add(additional_documents=["W-9 Tax Form"])
    caller.sandbox.templates.add(status="archived")
    (row,) = caller.get("/v1/contract-container-templates").json()["data"]
    assert list(row) == [
        "_id", "name", "status", "producerAgreement", "createdAt", "updatedAt",
        "additionalDocuments",
    ]  # fmt: skip
    pdf = row["producerAgreement"]["fileDocumentId"]
    assert refusal(caller.invite(contractContainerTemplateId=pdf))[2] == [
        "No active contract template found for that contractContainerTemplateId."
    ]
    assert caller.invite(contractContainerTemplateId=template.id).status == 201
    assert caller.invite(producerAgreementId=pdf).status == 201


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "Field 'customFieldValues.rate' is required"),
        ({"rate": "ten"}, "customFieldValues.rate must be a number"),
        ({"rate": True}, "customFieldValues.rate must be a number"),
        ({"rate": 0}, "customFieldValues.rate must not be less than 1"),
        ({"rate": 10**400}, "customFieldValues.rate must not be greater than 20"),
        ({"rate": 2, "raet": 2}, "customFieldValues.raet is not a custom field of the template"),
    ],
)
def test_custom_fields_are_validated(caller: Client, values: dict[str, Any], message: str) -> None:
    """Against type, required, min and max (documented)."""
    rate = {"field_name": "rate", "field_type": "number", "is_required": True,
            "min_value": 1, "max_value": 20}  # fmt: skip
    template = caller.sandbox.templates.add(custom_fields=[rate])
    answer = caller.invite(contractContainerTemplateId=template.id, customFieldValues=values)
    assert refusal(answer)[2] == [message]
    accepted = caller.invite(
        contractContainerTemplateId=template.id, customFieldValues={"rate": 10}
    )
    assert accepted.status == 201


def test_an_agreement_is_executed_once(caller: Client) -> None:
    """With the documented payload, and the signed PDF among the documents."""
    template = caller.sandbox.templates.add()
    caller.invite(contractContainerTemplateId=template.id)
    (association,) = caller.sandbox.associations
    caller.sandbox.execute_agreement(association)
    (event,) = caller.sandbox.events.of("PRODUCER_AGREEMENT_EXECUTED")
    assert list(event.facts) == [
        "downstreamEntityAssociationId", "downstreamEntityId", "producerCode", "branchName",
        "contractContainerInstanceId", "contractContainerTemplateId",
        "contractContainerTemplateName", "signedFileDocumentId",
    ]  # fmt: skip
    query = "category=Producer%20Agreement&subCategory=instance"
    (signed,) = caller.get(f"/v1/file-documents?{query}").json()["data"]
    assert signed["_id"] == event.facts["signedFileDocumentId"]
    with pytest.raises(RecordError, match="executed already"):
        caller.sandbox.execute_agreement(association.id)


def test_a_sign_in_url_is_a_recognisable_fake(caller: Client) -> None:
    """Only users of the agency get it; the journal does not show the link."""
    agency = caller.sandbox.associations.add(email="dana@acme.example")
    path = f"{DEA}/{agency.id}/sign-in-url"
    data = caller.get(f"{path}?email=dana@acme.example").json()["data"]
    assert data["signInUrl"].startswith("https://dashboard.turris-sandbox.invalid/")
    assert data["signInUrl"] not in caller.sandbox.journal[-1].response_body
    assert caller.get(f"{path}?email=else@acme.example").status == 404


def test_the_sunset_can_be_ignored(caller_with: Callable[..., Client]) -> None:
    """An option; the headers are still sent."""
    for sunset, status in (("gone", 410), ("ignored", 201)):
        caller = caller_with(sunset=sunset)
        caller.sandbox.clock.advance(days=700)
        caller.token()
        answer = caller.post(f"{DEA}/dangerously-add", ADDITION)
        assert answer.status == status
        assert dict(answer.headers)["sunset"] == "Sat, 01 Jan 2027 00:00:00 GMT"


def test_an_unknown_parent_producer_code_is_refused(caller: Client) -> None:
    """Only ``dangerously-add`` takes a parent's code that belongs to no association."""
    document = ADDITION | {"parentProducerCode": "P-0", "branchName": "West"}
    assert refusal(caller.post(f"{DEA}/add", document)) == (
        400,
        "invalid_input",
        ["parentProducerCode does not belong to a downstream entity association"],
    )
    assert caller.post(f"{DEA}/dangerously-add", document).status == 201
