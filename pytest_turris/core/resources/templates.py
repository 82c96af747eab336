"""Contract container templates: the documents that an invited agency signs.

Members and their order are documented (contract-container-templates/list); the types of custom
fields other than ``string`` are assumed.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from pytest_turris.core.resources.collection import (
    Collection,
)
from pytest_turris.core.resources.documents import FileDocuments
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel
from pytest_turris.core.wire.model import Amount, ObjectId, Timestamp
from pytest_turris.core.wire.validation import Missing


class CustomField(WireModel):
    """A field of the agreement that an invitation fills in; the limits apply to numbers."""

    field_name: str
    field_type: Literal["string", "number", "boolean", "date"] = "string"
    value: str | None = None
    default_value: str | None = None
    is_required: bool = False
    min_value: Amount | None = None
    max_value: Amount | None = None


class ProducerAgreement(WireModel):
    """The agreement's PDF and its custom fields."""

    file_document_id: ObjectId
    custom_fields: list[CustomField] = Field(default_factory=list)


class AdditionalDocument(WireModel):
    """Another PDF that accompanies the agreement."""

    file_document_id: ObjectId
    name: str


class ContractContainerTemplate(Record):
    """A template; only ``active`` ones are listed and usable in an invitation (documented)."""

    id: ObjectId = Field(alias="_id")
    name: str
    status: str = "active"
    producer_agreement: ProducerAgreement
    created_at: Timestamp
    updated_at: Timestamp
    additional_documents: list[AdditionalDocument] | None = None

    @property
    def key(self) -> str:
        """The ``contractContainerTemplateId``."""
        return self.id

    def broken_rules(self, values: Mapping[str, Any] | None, missing: Missing) -> Iterator[str]:
        """A message for each custom field whose value is missing or does not fit.

        The values are required when the template has custom fields (documented:
        downstream-entity-associations/invite).
        """
        known = {custom.field_name: custom for custom in self.producer_agreement.custom_fields}
        plain = missing == "field_is_required"
        if known and values is None:
            whole = "customFieldValues"
            yield f"Field '{whole}' is required" if plain else f"{whole} must be an object"
        values = values or {}
        for name in sorted(set(values) - set(known)):
            yield f"customFieldValues.{name[:64]} is not a custom field of the template"
        for name, custom in known.items():
            if values.get(name) is not None:
                yield from _misfits(f"customFieldValues.{name}", custom, values[name])
            elif custom.is_required and custom.default_value is None:
                path = f"customFieldValues.{name}"
                yield f"Field '{path}' is required" if plain else f"{path} is required"


class ContractContainerTemplates(Collection[ContractContainerTemplate]):
    """The templates of the upstream entity, archived ones included."""

    kind = ContractContainerTemplate
    indexes: ClassVar[Indexes] = {
        "status": lambda template: [template.status],
        "producer_agreement": lambda template: [template.producer_agreement.file_document_id],
    }

    @property
    def _documents(self) -> FileDocuments:
        return self._holder.collection(FileDocuments)

    @suggest_keywords
    def add(
        self,
        *,
        name: str = "Standard Producer Agreement (Español)",
        status: str = "active",
        custom_fields: Iterable[CustomField | dict[str, Any]] = (),
        additional_documents: Iterable[str] = (),
    ) -> ContractContainerTemplate:
        """Add a template, and its documents: the agreement and each additional one, by name.

        Raises:
            RecordError: A value does not fit.
        """
        now = self._clock.now()
        agreement = self._documents.add(category="Producer Agreement", sub_category="template")
        others = [
            {
                "file_document_id": self._documents.add(
                    category="Contract Container Folder Document"
                ).id,
                "name": other,
            }
            for other in additional_documents
        ]
        return self.make(
            id=self._randomness.object_id(),
            name=name,
            status=status,
            producer_agreement={
                "file_document_id": agreement.id,
                "custom_fields": list(custom_fields),
            },
            created_at=now,
            updated_at=now,
            additional_documents=others or None,
        )


def _misfits(path: str, custom: CustomField, value: object) -> Iterator[str]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "string": isinstance(value, str),
        "date": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "number": number,
    }[custom.field_type]
    if not fits:
        yield f"{path} must be a {custom.field_type}"
    elif custom.field_type == "date" and not _is_date(value):
        yield f"{path} must be a valid ISO 8601 date string"
    elif isinstance(value, int | float) and number:
        if custom.min_value is not None and value < custom.min_value:
            yield f"{path} must not be less than {custom.min_value:g}"
        if custom.max_value is not None and value > custom.max_value:
            yield f"{path} must not be greater than {custom.max_value:g}"


def _is_date(value: object) -> bool:
    try:
        dt.datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return True
