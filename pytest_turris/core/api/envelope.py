"""The envelope around every payload: four documented ones for successes, one for errors.

The pages disagree on the success envelope; the default is that of the newest page, the
reference with its schema.
"""

from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Operation, Payload
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.errors import TurrisError, error_document
from pytest_turris.core.wire.model import iso


def success_document(payload: Payload, call: Call, operation: Operation) -> dict[str, Any]:
    """The JSON document of a success."""
    status = operation.status_under(call.options)
    data = _wire(payload, nulls=call.options.optional_fields == "null")
    if isinstance(data, dict) and operation.is_bare(call.options):
        return data
    request_id, timestamp = call.request_id, iso(call.at)
    match call.options.envelope:
        case "data_with_status":
            head = {"requestId": request_id, "statusCode": status}
            return head | {"timestamp": timestamp, "data": data}
        case "status_without_request_id":
            return {"statusCode": status, "data": data, "timestamp": timestamp}
        case "top_level" if isinstance(data, dict):
            return {"requestId": request_id, "timestamp": timestamp} | data
        case _:
            return {"data": data, "requestId": request_id, "timestamp": timestamp}


def refusal_document(error: TurrisError, call: Call) -> dict[str, Any]:
    """The JSON document of an error (documented: guides/error-handling)."""
    return error_document(
        error.status,
        error.type,
        error.messages,
        request_id=call.request_id,
        timestamp=iso(call.at),
    )


def _wire(payload: Payload, *, nulls: bool) -> dict[str, Any] | list[Any] | None:
    if payload is None:
        return None
    if isinstance(payload, dict):
        return payload
    if isinstance(payload, WireModel):
        return payload.wire(nulls=nulls)
    return [record.wire(nulls=nulls) for record in payload]
