"""Downstream entity associations: list with filters, get, invite; and changing them in a test."""

from collections.abc import Callable
from typing import Any

import pytest
from doubles.sandbox_client import INVITATION, INVITE, Client, refusal

from pytest_turris.core.resources.record import RecordError
from pytest_turris.core.sandbox import Sandbox

ASSOCIATIONS = "/v1/downstream-entity-associations"
NOBODY = "000000000000000000000000"


def names(caller: Client, query: str = "") -> list[str]:
    """The legal names of the associations in a list."""
    found = caller.get(f"{ASSOCIATIONS}?{query}").json()["data"]
    return [association["downstreamEntity"]["legalName"] for association in found]


def test_members_are_in_the_documented_order(caller_with: Callable[..., Client]) -> None:
    """The sample of DownstreamEntityAssociationResponseDto in the reference."""
    caller = caller_with(optional_fields="null")
    caller.sandbox.associations.add()
    (association,) = caller.get(ASSOCIATIONS).json()["data"]
    assert list(association) == [
        "_id", "downstreamEntity", "niprDataSubscription", "producerCode", "externalId",
    ]  # fmt: skip
    assert list(association["downstreamEntity"]) == [
        "_id", "isNpnRequired", "legalName", "category", "npn", "ein",
    ]  # fmt: skip
    assert list(association["niprDataSubscription"]) == [
        "dataOwnerId", "dataOwnerModel", "entityModel", "entityInfo", "npn",
        "lastSynchronizationDate", "pdbAlertsSubscriptionStatus", "pdbAlertsPausedAt",
    ]  # fmt: skip


def test_an_association_as_it_is_sent(caller: Client) -> None:
    """Every member that has a value, with that value; the contact is not among them."""
    added = caller.sandbox.associations.add(
        downstream_entity_name="ABC Insurance Agency",
        downstream_entity_npn="12345678",
        ein="12-3456789",
        producer_code="PROD-001",
        external_id="EXT-12345",
    )
    sent = caller.get(f"{ASSOCIATIONS}/{added.id}").json()["data"]
    subscription = sent.pop("niprDataSubscription")
    entity_id = sent["downstreamEntity"].pop("_id")
    assert sent == {
        "_id": added.id,
        "downstreamEntity": {
            "isNpnRequired": True,
            "legalName": "ABC Insurance Agency",
            "category": "agency",
            "npn": "12345678",
            "ein": "12-3456789",
        },
        "producerCode": "PROD-001",
        "externalId": "EXT-12345",
    }
    assert len(entity_id) == 24
    assert entity_id != added.id
    assert (subscription["entityModel"], subscription["npn"]) == ("DownstreamEntity", "12345678")


@pytest.mark.parametrize("key", [NOBODY, "x", "%2e%2e", "invite"])
def test_an_unknown_association_is_a_404(caller: Client, key: str) -> None:
    """Any unknown id is a 404."""
    assert refusal(caller.get(f"{ASSOCIATIONS}/{key}")) == (
        404,
        "not_found",
        ["Downstream entity association not found"],
    )


def test_filters_by_npn(caller: Client) -> None:
    """The agency's own NPN."""
    caller.sandbox.associations.add(downstream_entity_name="A", downstream_entity_npn="1")
    caller.sandbox.associations.add(downstream_entity_name="B", downstream_entity_npn="2")
    assert names(caller, "downstreamEntityNpn=2") == ["B"]
    assert names(caller, "downstreamEntityNpn=3") == []


def test_filters_by_license(caller: Client) -> None:
    """Number and state together name the holder."""
    caller.sandbox.associations.add(downstream_entity_name="A", downstream_entity_npn="1")
    caller.sandbox.associations.add(downstream_entity_name="B", downstream_entity_npn="2")
    caller.sandbox.licenses.add(npn="1", license_number="L1", state_code="CA")
    assert names(caller, "licenseNumber=L1&stateCode=CA") == ["A"]
    assert names(caller, "licenseNumber=L1&stateCode=TX") == []


def test_filters_by_the_contacts_email(caller: Client) -> None:
    """The whole address or its domain, in any case."""
    for name, email in (("A", "ann@example.com"), ("B", "ben@sub.example.com")):
        caller.sandbox.associations.add(downstream_entity_name=name, email=email)
    assert names(caller, "email=ANN@example.com") == ["A"]
    assert names(caller, "email=nn@example.com") == []
    assert names(caller, "emailDomain=Example.COM") == ["A"]
    assert names(caller, "emailDomain=ample.com") == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("licenseNumber=1", "licenseNumber and stateCode must be provided together"),
        ("stateCode=CA", "licenseNumber and stateCode must be provided together"),
        (
            "downstreamEntityNpn=1&licenseNumber=1&stateCode=CA",
            "downstreamEntityNpn is mutually exclusive with licenseNumber/stateCode",
        ),
        (
            "downstreamEntityNpn=1&emailDomain=a.example",
            "downstreamEntityNpn is mutually exclusive with emailDomain",
        ),
        (
            "licenseNumber=1&stateCode=CA&email=a@b.example",
            "licenseNumber/stateCode is mutually exclusive with email",
        ),
        (
            "emailDomain=b.example&email=a@b.example",
            "emailDomain is mutually exclusive with email",
        ),
    ],
)
def test_filters_exclude_and_need_one_another(caller: Client, query: str, message: str) -> None:
    """The documented rules between parameters."""
    response = caller.get(f"{ASSOCIATIONS}?{query}")
    assert refusal(response) == (400, "invalid_input", [message])


def test_an_invited_agency_is_listed_and_found(caller: Client) -> None:
    """Invited is listed at once, without an NPN, under the id at the end of the URL (assumed)."""
    response = caller.invite(producerCode="PROD-001", externalId="EXT-1")
    assert response.status == 201
    url = response.json()["data"]["url"]
    assert url.startswith("https://onboarding.turris-sandbox.invalid/invite/")
    found = caller.get(f"{ASSOCIATIONS}/{url.rpartition('/')[2]}").json()["data"]
    assert found["downstreamEntity"]["legalName"] == "ABC Insurance Agency"
    assert (found["producerCode"], found["externalId"]) == ("PROD-001", "EXT-1")
    assert "npn" not in found["downstreamEntity"]
    assert "niprDataSubscription" not in found
    assert caller.get(ASSOCIATIONS).json()["data"] == [found]


@pytest.mark.parametrize("name", list(INVITATION))
def test_an_invitation_needs_its_members(caller: Client, name: str) -> None:
    """The message names the missing member of seven, and no agency is invited."""
    document = {key: value for key, value in INVITATION.items() if key != name}
    status, error_type, messages = refusal(caller.post(INVITE, document))
    assert (status, error_type) == (400, "invalid_input")
    assert messages == [f"Field '{name}' is required"]
    assert len(caller.sandbox.associations) == 0


@pytest.mark.parametrize(
    "category", ["agency", "agency network", "wholesale brokerage", "third party administrator"]
)
def test_there_are_four_categories(caller: Client, category: str) -> None:
    """All documented ones are accepted and shown."""
    caller.invite(category=category)
    (association,) = caller.get(ASSOCIATIONS).json()["data"]
    assert association["downstreamEntity"]["category"] == category


def test_an_unknown_template_is_refused_in_the_documented_words(caller: Client) -> None:
    """A template id that names no active template is a 400."""
    assert refusal(caller.invite(contractContainerTemplateId=NOBODY)) == (
        400,
        "invalid_input",
        ["No active contract template found for that contractContainerTemplateId."],
    )
    assert len(caller.sandbox.associations) == 0


def test_a_template_excludes_the_review(caller: Client) -> None:
    """A template now, or one chosen after the review: both are a 400 (documented)."""
    settings = {"isPreContractReviewStepUsed": True}
    response = caller.invite(contractContainerTemplateId=NOBODY, onboardingSettings=settings)
    status, _, (message,) = refusal(response)
    assert status == 400
    assert message == (
        "contractContainerTemplateId is mutually exclusive with "
        "onboardingSettings.isPreContractReviewStepUsed"
    )


def test_the_review_alone_is_accepted(caller: Client) -> None:
    """So is an invitation whose template is chosen later."""
    assert caller.invite(onboardingSettings={"isPreContractReviewStepUsed": True}).status == 201


def test_a_producer_code_is_unique(caller: Client) -> None:
    """A second invitation with the same code is refused; without codes there is no conflict."""
    assert caller.invite(producerCode="PROD-001").status == 201
    assert refusal(caller.invite(producerCode="PROD-001")) == (
        400,
        "invalid_input",
        ["producerCode is already in use"],
    )
    assert [caller.invite().status, caller.invite().status] == [201, 201]


def test_an_npn_is_made_up_where_it_is_required(sandbox: Sandbox) -> None:
    """An onboarded agency that needs an NPN gets one, and NIPR data with it."""
    needed = sandbox.associations.add()
    free = sandbox.associations.add(is_npn_required=False)
    invited = sandbox.associations.add(invited=True)
    assert needed.npn is not None
    assert (len(needed.npn), needed.npn.isdigit()) == (8, True)
    assert needed.nipr_data_subscription is not None
    assert (free.npn, free.nipr_data_subscription) == (None, None)
    assert (invited.npn, invited.nipr_data_subscription) == (None, None)


def test_get_find_and_remove(caller: Client) -> None:
    """``get`` raises where ``find`` returns None; a removed association is a 404."""
    associations = caller.sandbox.associations
    added = associations.add(producer_code="P")
    assert associations.get(added.id) is associations.find(added.id) is added
    assert associations.with_producer_code("P") is added
    associations.remove(added)
    assert associations.with_producer_code("P") is None
    assert caller.get(f"{ASSOCIATIONS}/{added.id}").status == 404
    with pytest.raises(KeyError, match="no Association with id"):
        associations.get(added.id)


def test_an_update_is_seen_by_clients(caller: Client) -> None:
    """``update`` by record or id changes the API's answers."""
    added = caller.sandbox.associations.add()
    caller.sandbox.associations.update(added, producer_code="P-1")
    caller.sandbox.associations.update(added.id, external_id="E-1")
    (sent,) = caller.get(ASSOCIATIONS).json()["data"]
    assert (sent["producerCode"], sent["externalId"]) == ("P-1", "E-1")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"external_id": "E", "producer_code": 5}, "Input should be a valid string"),
        ({"external_id": "E", "producer_cod": "P"}, "did you mean 'producer_code'?"),
        ({"external_id": "E", "id": NOBODY}, "the id of a record does not change"),
    ],
)
def test_an_update_is_all_or_nothing(
    sandbox: Sandbox, members: dict[str, Any], message: str
) -> None:
    """One invalid member leaves all unchanged."""
    added = sandbox.associations.add()
    before = added.model_dump()
    with pytest.raises(RecordError) as caught:
        sandbox.associations.update(added, **members)
    assert message in str(caught.value)
    assert added.model_dump() == before


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"downstream_entity_name": 5}, "valid string"),
        ({"downstream_entity_npn": 5}, "valid string"),
        ({"email": "wrong"}, "must be an email"),
    ],
)
def test_an_invalid_association_is_not_added(
    sandbox: Sandbox, members: dict[str, Any], message: str
) -> None:
    """An invalid value raises where the test passes it."""
    with pytest.raises(RecordError) as caught:
        sandbox.associations.add(**members)
    assert message in str(caught.value)
    assert len(sandbox.associations) == 0
