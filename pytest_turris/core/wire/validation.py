"""From bytes and query strings to models, with the messages of class-validator.

The style ``npn must be a string``, one message per failed rule, is documented
(guides/error-handling), and so is ``Field 'npn' is required`` for a missing member. Assumed: the
other rules have the class-validator library's messages.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from pytest_turris.core.text.names import nearest
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel
from pytest_turris.core.wire.multipart import FormFile, read_form

Model = TypeVar("Model", bound=RequestModel)
Unknown = Literal["ignored", "refused"]
Missing = Literal["field_is_required", "class_validator"]


class FieldRules(NamedTuple):
    """What happens to unknown members, and the words for missing ones."""

    unknown: Unknown = "ignored"
    missing: Missing = "field_is_required"
    renamed: tuple[str, str] = ("", "")
    """A member that is sent by another name than the model's: that name, and the model's."""


IGNORED = "ignored unknown "
MISSPELT = "perhaps misspelt: "
"""How the notes begin about unknown names, and about those that are near a name not sent."""

DEFAULT_RULES = FieldRules()

_MAX_PARAMETERS = 200
_RULES = {
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
    "dataclass_type": "must be a file",
    "dataclass_exact_type": "must be a file",
    "string_too_short": "should not be empty",
    "string_too_long": "must be shorter than or equal to {max_length} characters",
    "string_pattern_mismatch": "must match /{pattern}/ regular expression",
    "too_short": "must contain at least {min_length} elements",
    "too_long": "must contain no more than {max_length} elements",
}
"""class-validator's message for each error of pydantic; our own errors have theirs."""
_ONE_OF = "must be one of the following values: "
_MISSING = {bool: "bool_type", dict: "dict_type", list: "list_type", FormFile: "dataclass_type"}


def read_body(
    model: type[Model], request: Request, notes: list[str], rules: FieldRules = DEFAULT_RULES
) -> Model:
    """The request's JSON body as a model; unknown members are ignored and noted, or refused.

    Raises:
        InvalidInput: Not JSON, not an object, or rules of the model failed; all are named.
    """
    document = _document(request, notes)
    sent, known = rules.renamed
    if sent != known:
        document.pop(known, None)
        document = {known if name == sent else name: value for name, value in document.items()}
    return _checked(model, document, "member", notes, rules, strict=True)


def read_multipart(
    model: type[Model], request: Request, notes: list[str], rules: FieldRules = DEFAULT_RULES
) -> Model:
    """The request's form as a model; unknown members are treated as in ``read_body``.

    Raises:
        InvalidInput: Not a form, or rules of the model failed; all are named.
    """
    content_type = request.header("content-type")
    form: dict[str, Any] = {}
    if request.media_type == "multipart/form-data":
        form = dict(read_form(content_type, request.body))
    else:
        notes.append(_unread(request, "a form"))
    return _checked(model, form, "member", notes, rules, strict=True)


def read_query(
    model: type[Model], request: Request, notes: list[str], rules: FieldRules = DEFAULT_RULES
) -> Model:
    """The query parameters as a model; unknown ones are ignored and noted, or refused.

    Raises:
        InvalidInput: A parameter is repeated or wrong, or excludes another.
    """
    if not request.query:
        unasked: Model = _without_parameters(model, rules)
        return unasked
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise InvalidInput("Too many query parameters") from None
    document: dict[str, Any] = {}
    for name, value in pairs:
        # A repeated parameter reaches a NestJS handler as an array.
        document[name] = [value] if name in document else value
    return _checked(model, document, "query parameter", notes, rules, strict=False)


@cache
def _without_parameters(model: type[Model], rules: FieldRules) -> Model:
    """What no query is read as; most calls have none. A refusal is not kept."""
    return _checked(model, {}, "query parameter", [], rules, strict=False)


def _checked(
    model: type[Model],
    document: dict[str, Any],
    kind: str,
    notes: list[str],
    rules: FieldRules,
    *,
    strict: bool,
) -> Model:
    problems = _unknown(model, document, kind, notes, rules.unknown) if document else []
    try:
        # By the wire's names only: snake_case is for Python.
        checked = model.model_validate(document, strict=strict, by_alias=True, by_name=False)
    except ValidationError as error:
        rows = error.errors(include_url=False)
        problems += [_message(row, model, rules) for row in rows]
    problems += model.rules(document)
    if problems:
        raise InvalidInput(*dict.fromkeys(problems))
    return checked


def _document(request: Request, notes: list[str]) -> dict[str, Any]:
    if request.media_type != "application/json":
        # A NestJS server parses JSON bodies only; its handler then gets an empty body.
        notes.append(_unread(request, "JSON"))
        return {}
    try:
        document = from_json(request.body or b"{}", allow_inf_nan=False)
    except (ValueError, RecursionError):
        raise InvalidInput("Request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise InvalidInput("Request body must be a JSON object")
    return document


def _unread(request: Request, expected: str) -> str:
    return f"the body was not read: Content-Type is {request.media_type[:64]!r}, not {expected}"


def _unknown(
    model: type[RequestModel],
    document: Mapping[str, Any],
    kind: str,
    notes: list[str],
    unknown: Unknown,
) -> list[str]:
    found = document.keys() - _names_of(model)
    if not found:
        return []
    names = [name[:64] for name in sorted(found)[:5]]
    if unknown == "refused":
        return [f"property {name} should not exist" for name in names]
    notes.append(f"{IGNORED}{kind}: {', '.join(map(repr, names))}")
    missing = _names_of(model) - document.keys()
    notes += [
        f"{MISSPELT}the {kind} {name!r} is ignored; did you mean {near!r}?"
        for name in names
        if (near := nearest(name, sorted(missing)))
    ]
    return []


@cache
def _names_of(model: type[RequestModel]) -> frozenset[str]:
    """The members of a model by their names on the wire."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _message(row: ErrorDetails, model: type[RequestModel], rules: FieldRules) -> str:
    kind, context = row["type"], row.get("ctx", {})
    path = _path(row["loc"], rules.renamed)
    if kind == "missing" and rules.missing == "field_is_required":
        return f"Field '{path}' is required"  # documented
    if kind == "missing":
        kind = _kind_of_missing(row, model)
        if kind.startswith(_ONE_OF):
            return f"{path} {kind}"
    if kind == "literal_error":
        return f"{path} {_ONE_OF}{_choices(context['expected'])}"
    rule = _RULES[kind].format(**context) if kind in _RULES else row["msg"]
    return f"{path} {rule}"


def _path(location: tuple[int | str, ...], renamed: tuple[str, str]) -> str:
    """A member as class-validator names it, by the name that was sent; a list's values as one."""
    sent, known = renamed
    first, *inside = location
    names = [sent if first == known else str(first), *map(str, inside)]
    if isinstance(location[-1], int):
        return f"each value in {'.'.join(names[:-1])}"
    return ".".join(names)


def _kind_of_missing(row: ErrorDetails, model: type[RequestModel]) -> str:
    """A missing member breaks the rule of its type, as in class-validator."""
    top, *inside = row["loc"]
    hints = {field.alias: field.annotation for field in model.model_fields.values()}
    hint = None if inside else hints[str(top)]
    if choices := get_args(hint) if get_origin(hint) is Literal else ():
        return _ONE_OF + ", ".join(choices)
    return _MISSING.get(get_origin(hint) or hint, "string_type")  # type: ignore[arg-type] # any hint


def _choices(expected: str) -> str:
    return expected.replace(" or ", ", ").replace("'", "")
