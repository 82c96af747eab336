"""JSON schemas of the models, as the OpenAPI description shows them."""

from collections.abc import Iterator
from typing import Any, get_args

from pytest_turris.core.api.documented_texts import MEMBERS, described_text
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.wire.model import RequestModel

ERROR = "ErrorResponseDto"

_ERROR_SCHEMA = {
    "type": "object",
    "required": ["statusCode", "requestId", "errorType", "errorMessage", "timestamp"],
    "properties": {
        "statusCode": {"type": "integer"},
        "requestId": {"type": "string"},
        "errorType": {"type": "string"},
        "errorMessage": {"type": "array", "items": {"type": "string"}},
        "timestamp": {"type": "string", "format": "date-time"},
    },
}


class Schemas:
    """The component schemas of one description; each model adds its own when first referenced."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.components: dict[str, Any] = {ERROR: _ERROR_SCHEMA}

    def of_answer(self, model: type[WireModel]) -> dict[str, Any]:
        """A reference to the schema of an answer's model: the members that are sent."""
        name = model.__name__
        if name not in self.components:
            self.components[name] = {}  # A model can refer to itself.
            self.components[name] = self._sent(model)
        return reference(name)

    def of_request(self, model: type[RequestModel]) -> dict[str, Any]:
        """A reference to the schema of a body or form."""
        schema = _for_components(model.model_json_schema(by_alias=True))
        for name, inner in schema.pop("$defs", {}).items():
            self.components[name] = self._closed(inner)
        for name, member in schema["properties"].items():
            schema["properties"][name] = member | described_text(
                MEMBERS.get((model.__name__, name))
            )
        self.components[model.__name__] = self._closed(schema)
        return reference(model.__name__)

    def _sent(self, model: type[WireModel]) -> dict[str, Any]:
        whole = model.model_json_schema(by_alias=True, mode="serialization")
        properties, required = {}, []
        nulls = self._options.optional_fields == "null"
        for member, field in model.model_fields.items():
            if member in model.internal_fields:
                continue
            for part in _models_in(field.annotation):
                self.of_answer(part)
            alias = field.serialization_alias or field.alias or member
            schema = dict(_for_components(whole["properties"][alias]))
            can_be_none = type(None) in get_args(field.annotation)
            optional = can_be_none and member not in model.always_shown
            nullable = nulls and optional and member not in model.never_null
            properties[alias] = schema if nullable else without_null(schema)
            if (nullable or not optional) and member not in model.not_relied_on:
                required.append(alias)
        return {"type": "object", "required": required, "properties": properties}

    def _closed(self, schema: dict[str, Any]) -> dict[str, Any]:
        refused = self._options.unknown_fields == "refused"
        closed = {"additionalProperties": False} if refused else {}
        return {key: value for key, value in schema.items() if key != "description"} | closed


def of_query(model: type[RequestModel]) -> list[tuple[str, bool, dict[str, Any]]]:
    """The query parameters of a model: name, whether it is required, and schema."""
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", [])
    return [
        (name, name in required, without_null(member))
        for name, member in schema["properties"].items()
    ]


def reference(name: str) -> dict[str, Any]:
    """A reference to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a member that is left out rather than sent as ``null``."""
    kept = dict(_for_components(schema))
    choices = [one for one in kept.pop("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        return kept | dict(choices[0])
    return kept | ({"anyOf": choices} if choices else {})


def _models_in(hint: object) -> Iterator[type[WireModel]]:
    if isinstance(hint, type) and issubclass(hint, WireModel):
        yield hint
    for inner in get_args(hint):
        yield from _models_in(inner)


def _for_components(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Pydantic's schema with references into the components, without titles and null defaults."""
    if isinstance(schema, list):
        return [_for_components(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "$ref":
            kept[key] = value.replace("#/$defs/", "#/components/schemas/")
        elif key == "properties":
            kept[key] = {name: _for_components(member) for name, member in value.items()}
        elif not (key == "title" or (key == "default" and value is None)):
            kept[key] = _for_components(value)
    return kept
