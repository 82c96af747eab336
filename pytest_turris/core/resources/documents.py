"""File documents: W-9s, policies, agreements; only their metadata, never their content.

Members and categories are documented (FileDocumentResponse); the values of ``s3VersionId`` and
``metadataModel`` are assumed.
"""

from typing import ClassVar, Literal

from pydantic import Field

from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.index import Indexes
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel
from pytest_turris.core.wire.model import ObjectId, Timestamp

OlderDocumentCategory = Literal[
    "W9",
    "E&O",
    "Cyber",
    "Producer Agreement",
    "Crime & Fidelity",
    "Other Contract",
    "Other Document",
    "Payment Details",
    "License PDF",
]
DocumentCategory = Literal[
    OlderDocumentCategory, "Contract Container Folder Document", "Surplus Lines"
]
SubCategory = Literal["instance", "template"]


class DocumentVersion(WireModel):
    """One stored version of the file."""

    s3_version_id: str = Field(alias="s3VersionId")
    metadata_model: str
    metadata_id: ObjectId


class FileDocument(Record):
    """A document of an agency, or a template of the upstream entity."""

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {"sub_category", "is_deleted", "downstream_entity_association_id", "file_name"}
    )

    id: ObjectId = Field(alias="_id")
    category: DocumentCategory
    versions: list[DocumentVersion]
    created_at: Timestamp
    updated_at: Timestamp
    sub_category: SubCategory | None = None
    is_deleted: bool = False
    downstream_entity_association_id: ObjectId | None = None
    file_name: str | None = None

    @property
    def key(self) -> str:
        """The ``_id``: a ``fileDocumentId``."""
        return self.id


class FileDocuments(Collection[FileDocument]):
    """The documents of the upstream entity and its agencies."""

    kind = FileDocument
    indexes: ClassVar[Indexes] = {
        "category": lambda document: [document.category],
        "sub_category": lambda document: [document.sub_category],
        "is_deleted": lambda document: ["true" if document.is_deleted else "false"],
        "association": lambda document: [document.downstream_entity_association_id],
    }

    @suggest_keywords
    def add(
        self,
        *,
        category: DocumentCategory = "Other Document",
        sub_category: SubCategory | None = None,
        downstream_entity_association_id: str | None = None,
        file_name: str | None = None,
        is_deleted: bool = False,
    ) -> FileDocument:
        """Add a document of one version; a producer agreement is an ``instance`` by default.

        Raises:
            RecordError: A value does not fit, such as an unknown category.
        """
        now = self._clock.now()
        if category == "Producer Agreement":
            sub_category = sub_category or "instance"
        version = {
            "s3_version_id": self._randomness.digest("s3 version")[:32],
            "metadata_model": "FileDocumentMetadata",
            "metadata_id": self._randomness.object_id(),
        }
        return self.make(
            id=self._randomness.object_id(),
            category=category,
            versions=[version],
            created_at=now,
            updated_at=now,
            sub_category=sub_category,
            is_deleted=is_deleted,
            downstream_entity_association_id=downstream_entity_association_id,
            file_name=file_name,
        )
