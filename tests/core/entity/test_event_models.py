"""The models of the four documented events."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pytest_turris.core.entity.event_facts import ExecutedAgreement, StatusEntry
from pytest_turris.core.entity.event_models import (
    EVENTS,
    AgentComplianceEntry,
    AgentComplianceStatusChange,
    DownstreamEntityComplianceStatusChange,
    EntityComplianceDataSynchronized,
    ProducerAgreementExecuted,
)

STATUS_CHANGE = """
{
  "webhookType": "AGENT_COMPLIANCE_STATUS_CHANGE",
  "upstreamEntityId": "507f1f77bcf86cd799439010",
  "payload": [
    {
      "entity": "agent",
      "downstreamEntityAssociationId": "507f1f77bcf86cd799439011",
      "legalName": "Acme Insurance Agency",
      "branchName": "Main Branch",
      "producerCode": "ABC123",
      "npn": "1234567",
      "products": [
        {
          "productId": "507f1f77bcf86cd799439012",
          "productName": "Property & Casualty",
          "states": [
            {
              "stateCode": "CA",
              "complianceStatus": "COMPLIANT",
              "licenseStatus": { "statusName": "Licensed" },
              "appointmentStatus": { "statusName": "Appointed" }
            },
            {
              "stateCode": "FL",
              "complianceStatus": "NOT_COMPLIANT",
              "licenseStatus": {
                "statusName": "Missing License",
                "statusMessages": ["Required license class not found"]
              },
              "appointmentStatus": {
                "statusName": "Missing Carrier",
                "statusMessages": ["No active appointment with required carrier"]
              }
            }
          ]
        }
      ]
    }
  ]
}
"""

SYNCHRONIZED = """
{
  "webhookType": "ENTITY_COMPLIANCE_DATA_SYNCHRONIZED",
  "upstreamEntityId": "507f1f77bcf86cd799439010",
  "payload": {
    "entityType": "Agent",
    "npn": "1234567",
    "synchronizationStatus": "success",
    "niprDataSubscriptionId": "507f1f77bcf86cd799439013"
  }
}
"""

EXECUTED = """
{
  "webhookType": "PRODUCER_AGREEMENT_EXECUTED",
  "upstreamEntityId": "507f1f77bcf86cd799439010",
  "payload": {
    "downstreamEntityAssociationId": "507f1f77bcf86cd799439011",
    "downstreamEntityId": "507f1f77bcf86cd799439012",
    "producerCode": "03-e55f06b3-618c-4bf2-b578-efae34a87a6e",
    "branchName": "Main Branch",
    "contractContainerInstanceId": "6a171043c80172422211a416",
    "contractContainerTemplateId": "6a13495a5415a8bb4ac83b5d",
    "contractContainerTemplateName": "Producer Agreement",
    "signedFileDocumentId": "6a1710bcc80172422211a421"
  }
}
"""


@pytest.mark.parametrize(
    ("event", "documented"),
    [
        (AgentComplianceStatusChange, STATUS_CHANGE),
        (
            DownstreamEntityComplianceStatusChange,
            STATUS_CHANGE.replace("AGENT_", "DOWNSTREAM_ENTITY_").replace(
                '"agent"', '"downstreamEntity"'
            ),
        ),
        (EntityComplianceDataSynchronized, SYNCHRONIZED),
        (ProducerAgreementExecuted, EXECUTED),
    ],
)
def test_defaults_are_the_documented_examples(event: Any, documented: str) -> None:  # noqa: ANN401 - model classes
    """Without arguments an event is the documented example, in the order of its members."""
    assert json.dumps(event().wire()) == json.dumps(json.loads(documented))


def test_events_are_found_by_type() -> None:
    """Each documented type names the model that carries it."""
    assert len(EVENTS) == 4
    for name, event in EVENTS.items():
        assert event.model_validate({}).webhook_type == name


@pytest.mark.parametrize("messages", [None, []])
def test_nothing_to_say_is_absent(messages: list[str] | None) -> None:
    """A status without messages has no statusMessages at all."""
    status = StatusEntry(status_name="Licensed", status_messages=messages)
    assert status.wire() == {"statusName": "Licensed"}


def test_missing_producer_codes() -> None:
    """An agreement without a producer code has null; a status change leaves the member out."""
    event = ProducerAgreementExecuted(payload=ExecutedAgreement(producer_code=None))
    assert list(event.wire()["payload"])[:3] == [
        "downstreamEntityAssociationId",
        "downstreamEntityId",
        "producerCode",
    ]
    assert event.wire()["payload"]["producerCode"] is None
    change = AgentComplianceStatusChange(payload=[AgentComplianceEntry(producer_code=None)])
    assert "producerCode" not in change.wire()["payload"][0]


def test_agreements_of_before_the_migration() -> None:
    """An agreement without its optional members is the payload of March 2026."""
    payload = ExecutedAgreement(
        contract_container_instance_id=None,
        contract_container_template_id=None,
        contract_container_template_name=None,
        signed_file_document_id=None,
    )
    assert list(ProducerAgreementExecuted(payload=payload).wire()["payload"]) == [
        "downstreamEntityAssociationId",
        "downstreamEntityId",
        "producerCode",
        "branchName",
    ]


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (ProducerAgreementExecuted, {"payload": {"brancName": "West"}}),
        (ProducerAgreementExecuted, {"payload": {"downstreamEntityId": "undefined"}}),
        (EntityComplianceDataSynchronized, {"payload": {"entityType": "Carrier"}}),
        (AgentComplianceStatusChange, {"payload": [{"entity": "downstreamEntity"}]}),
        (AgentComplianceStatusChange, {"payload": {}}),
        (AgentComplianceStatusChange, {"webhookType": "PRODUCER_AGREEMENT_EXECUTED"}),
    ],
)
def test_what_turris_never_sends_is_refused(event: Any, path: dict[str, object]) -> None:  # noqa: ANN401 - model classes
    """Unknown members, malformed ids, values outside a documented list and wrong shapes fail."""
    with pytest.raises(ValidationError):
        event.model_validate(path)


def test_undocumented_values_are_allowed() -> None:
    """Values whose list is not documented may be anything."""
    event = EntityComplianceDataSynchronized.model_validate(
        {"payload": {"synchronizationStatus": "failed"}}
    )
    assert event.wire()["payload"]["synchronizationStatus"] == "failed"
