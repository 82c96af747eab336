"""The envelope around every payload: four documented ones for successes, one for errors.

The pages disagree on the success envelope; the default is that of the newest page, the
reference with its schema.
"""

from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Operation, Payload
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.text.moments import iso
from pytest_turris.core.wire.errors import TurrisError, error_document
from pytest_turris.core.wire.messages import encode


def success_body(payload: Payload, call: Call, operation: Operation) -> bytes:
    """The body of a success. Records keep their JSON, so it is put together from pieces."""
    data = _encoded(payload, nulls=call.options.optional_fields == "null")
    is_object = data.startswith(b"{")
    if is_object and operation.is_bare(call.options):
        return data
    request_id, timestamp = call.request_id.encode(), iso(call.at).encode()
    match call.options.envelope:
        case "data_with_status":
            head = b'{"requestId":"%b","statusCode":%d,"timestamp":"%b","data":'
            status = operation.status_under(call.options)
            return head % (request_id, status, timestamp) + data + b"}"
        case "status_without_request_id":
            status = operation.status_under(call.options)
            return b'{"statusCode":%d,"data":%b,"timestamp":"%b"}' % (status, data, timestamp)
        case "top_level" if is_object:
            head = b'{"requestId":"%b","timestamp":"%b"' % (request_id, timestamp)
            return head + (b"}" if data == b"{}" else b"," + data[1:])
        case _:
            tail = b',"requestId":"%b","timestamp":"%b"}' % (request_id, timestamp)
            return b'{"data":' + data + tail


def refusal_document(error: TurrisError, call: Call) -> dict[str, Any]:
    """The JSON document of an error (documented: guides/error-handling)."""
    return error_document(
        error.status,
        error.type,
        error.messages,
        request_id=call.request_id,
        timestamp=iso(call.at),
    )


def _encoded(payload: Payload, *, nulls: bool) -> bytes:
    if payload is None or isinstance(payload, dict):
        return encode(payload)
    if isinstance(payload, WireModel):
        return payload.encoded(nulls=nulls)
    pieces = [record.encoded(nulls=nulls) for record in payload]
    if not pieces:
        return b"[]"
    # Not around the whole: a list can have megabytes, and each step copies it.
    pieces[0] = b"[" + pieces[0]
    pieces[-1] += b"]"
    return b",".join(pieces)
