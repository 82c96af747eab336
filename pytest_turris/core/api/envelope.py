"""What stands around every payload: four documented success envelopes, one for errors.

The pages disagree on the success envelope (guides, section 4); the default is that of the
reference and its schema, the newest.
"""

from typing import Any, Literal

from pytest_turris.core.api.call import Call, Operation, Payload
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.wire.errors import TurrisError
from pytest_turris.core.wire.model import iso

Envelope = Literal["data", "data_with_status", "status_without_request_id", "top_level"]


def success_document(
    payload: Payload,
    call: Call,
    operation: Operation,
    envelope: Envelope,
    optional_fields: Literal["omitted", "null"],
) -> dict[str, Any]:
    """The JSON document of a success."""
    data = _wire(payload, nulls=optional_fields == "null")
    if isinstance(data, dict) and (call.bare or not operation.enveloped):
        return data
    request_id, timestamp = call.request_id, iso(call.at)
    match envelope:
        case "data_with_status":
            head = {"requestId": request_id, "statusCode": operation.status}
            return head | {"timestamp": timestamp, "data": data}
        case "status_without_request_id":
            return {"statusCode": operation.status, "data": data, "timestamp": timestamp}
        case "top_level" if isinstance(data, dict):
            return {"requestId": request_id, "timestamp": timestamp} | data
        case _:
            return {"data": data, "requestId": request_id, "timestamp": timestamp}


def error_document(error: TurrisError, call: Call) -> dict[str, Any]:
    """The JSON document of an error (documented: guides/error-handling)."""
    return {
        "statusCode": error.status,
        "requestId": call.request_id,
        "errorType": error.type,
        "errorMessage": list(error.messages),
        "timestamp": iso(call.at),
    }


def _wire(payload: Payload, *, nulls: bool) -> dict[str, Any] | list[Any]:
    if isinstance(payload, dict):
        return payload
    if isinstance(payload, WireModel):
        return payload.wire(nulls=nulls)
    return [record.wire(nulls=nulls) for record in payload or ()]
