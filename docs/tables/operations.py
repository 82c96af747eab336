"""The reference page of the HTTP API, made from the route table."""

from pytest_turris.core.api.openapi import REASONS
from pytest_turris.core.api.operation import Operation
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.wire.model import RequestModel
from tables import shapes


def as_markdown() -> str:
    """A section for each operation: what it takes, what it answers, how it is known; the shapes."""
    sections = "\n".join(line for operation in OPERATIONS for line in _section(operation))
    return f"{sections}\n{shapes.as_markdown(tuple(OPERATIONS))}"


def _section(operation: Operation) -> list[str]:
    known = operation.fidelity
    lines = [f"## `{operation.method} {operation.path}`", "", f"{operation.summary}.", ""]
    if operation.deprecated:
        lines += ["Deprecated: answers with `Deprecation`, `Sunset` and `Link`.", ""]
    lines += [
        "| | |",
        "|---|---|",
        f"| Name | `{operation.name}` |",
        f"| Operation id | `{operation.operation_id}` ({known['operationId']}) |",
        f"| Credential | {_CREDENTIALS[operation.access]} |",
    ]
    lines += [f"| Path | `{name}` |" for name in operation.parameters]
    lines += _members("Query", operation.query)
    lines += _members("Body", operation.body)
    lines += _members("Form", operation.form)
    if operation.guide:
        path = operation.guide.page.removeprefix("reference/")
        lines.append(f"| See | [{operation.guide.about}]({path}.md) |")
    if operation.idempotent:
        lines.append(f"| Headers | {', '.join(f'`{name}`' for name in IDEMPOTENCY_HEADERS)} |")
    lines.append(f"| Answer | {_answer(operation)} ({known['status']}) |")
    for status in operation.refusals:
        lines.append(f"| {status} | {REASONS[status]} ({_how_known(operation, status)}) |")
    source = f", {operation.page}" if operation.page else ""
    return [*lines, f"| Known | {known['operation']}{source} |", ""]


_OF_THE_GUIDES = (400, 401, 403, 404, 410, 429)
"""Statuses that error-handling, rate-limiting and versioning name, each with its cause."""
_CREDENTIALS = {
    "public": "none",
    "oauth": "access token",
    "restricted": "restricted access token",
    "any": "access token or restricted access token",
}


def _how_known(operation: Operation, status: int) -> str:
    """Whether a page shows that refusal, the guides name it for all operations, or neither."""
    if status in operation.documented_errors:
        return "documented"
    return "by convention" if status in _OF_THE_GUIDES else "assumed"


def _members(where: str, model: type[RequestModel] | None) -> list[str]:
    if model is None:
        return []
    shown = [
        f"`{field.alias}`{', required' if field.is_required() else ''}"
        for field in model.model_fields.values()
    ]
    return [f"| {where} | {'; '.join(shown)} |"]


def _answer(operation: Operation) -> str:
    if operation.answer is None:
        return f"{operation.status}, no content" if operation.method != "GET" else "200, JSON"
    what = shapes.link(operation.answer)
    shape = f"list of {what}" if operation.many else what
    return f"{operation.status}, {shape}{'' if operation.enveloped else ' without an envelope'}"
