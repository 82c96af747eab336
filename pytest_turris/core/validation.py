"""From bytes and query strings to models; failures in the words of class-validator.

The style ``npn must be a string``, one message per failed rule, is documented
(guides/error-handling); the wording of the other rules is that of the class-validator
library and assumed.
"""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from pytest_turris.core.errors import InvalidInput
from pytest_turris.core.messages import Request

Model = TypeVar("Model", bound=BaseModel)

_MOST_PARAMETERS = 200
_WORDS = {
    "missing": "must be a string",
    "string_type": "must be a string",
    "bool_type": "must be a boolean value",
    "bool_parsing": "must be a boolean value",
    "int_type": "must be an integer number",
    "int_parsing": "must be an integer number",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}
_MISSING = {bool: "bool_type", dict: "dict_type", list: "list_type"}


def read_body(model: type[Model], request: Request, notes: list[str]) -> Model:
    """The request's JSON body as a model; unknown members are ignored and noted.

    Raises:
        InvalidInput: No JSON, no object, or a rule of the model failed.
    """
    document = _document(request, notes)
    _note_unknown(model, document, "member", notes)
    try:
        # By name of the wire only: snake_case is for Python.
        return model.model_validate(document, strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidInput(*messages(error, model)) from None


def read_query(model: type[Model], request: Request, notes: list[str]) -> Model:
    """The query parameters as a model; unknown ones are ignored and noted.

    Raises:
        InvalidInput: A parameter is repeated or wrong, or excludes another.
    """
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise InvalidInput("Too many query parameters") from None
    document: dict[str, Any] = {}
    for name, value in pairs:
        # A repeated parameter reaches a NestJS handler as an array.
        document[name] = [value] if name in document else value
    _note_unknown(model, document, "query parameter", notes)
    try:
        return model.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidInput(*messages(error, model)) from None


def messages(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One message per failed rule, in the order of the fields, each once."""
    return list(dict.fromkeys(_message(row, model) for row in error.errors(include_url=False)))


def _document(request: Request, notes: list[str]) -> dict[str, Any]:
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        # A NestJS server parses JSON bodies only; the handler then sees none.
        notes.append(f"the body was not read: Content-Type is {media_type[:64]!r}, not JSON")
        return {}
    try:
        document = from_json(request.body or b"{}", allow_inf_nan=False)
    except (ValueError, RecursionError):
        raise InvalidInput("Request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise InvalidInput("Request body must be a JSON object")
    return document


def _note_unknown(
    model: type[BaseModel], document: dict[str, Any], kind: str, notes: list[str]
) -> None:
    known = {field.alias or name for name, field in model.model_fields.items()}
    unknown = sorted(set(document) - known)
    if unknown:
        shown = ", ".join(repr(name[:64]) for name in unknown[:5])
        notes.append(f"ignored unknown {kind}: {shown}")


def _message(row: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context = row["type"], row.get("ctx", {})
    path = ".".join(map(str, row["loc"]))
    if kind == "missing":
        kind = _kind_of_missing(row, model)
    if kind == "literal_error":
        return f"{path} must be one of the following values: {_choices(context['expected'])}"
    if kind == "string_too_long":
        return f"{path} must be shorter than or equal to {context['max_length']} characters"
    if kind == "string_too_short":
        return f"{path} should not be empty"
    words = _WORDS.get(kind, row["msg"])
    return f"{path} {words}" if path else words


def _kind_of_missing(row: ErrorDetails, model: type[BaseModel]) -> str:
    """A missing member fails the rule of its type, as class-validator reports it."""
    if len(row["loc"]) > 1:
        return "string_type"
    for name, field in model.model_fields.items():
        if row["loc"][0] in (field.alias, name):
            return _MISSING.get(field.annotation, "string_type")  # type: ignore[arg-type] # any hint
    return "string_type"


def _choices(expected: str) -> str:
    return expected.replace(" or ", ", ").replace("'", "")
