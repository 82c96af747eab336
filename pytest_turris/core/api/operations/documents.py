"""File documents: list those of a category, upload a PDF."""

from typing import Annotated, Literal, get_args

from pydantic import WithJsonSchema

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.api.operations.associations import named_association
from pytest_turris.core.entity.policy_upload.policy_file import MAX_FILE_BYTES
from pytest_turris.core.resources.documents import (
    DocumentCategory,
    FileDocument,
    OlderDocumentCategory,
    SubCategory,
)
from pytest_turris.core.wire.errors import InvalidInput, PayloadTooLarge
from pytest_turris.core.wire.model import ObjectId, RequestModel
from pytest_turris.core.wire.multipart import FormFile, UploadedFile

_PDF = b"%PDF-"


class ListDocumentsQuery(RequestModel):
    """``category`` is required (documented)."""

    category: DocumentCategory
    sub_category: SubCategory | None = None
    # A boolean of the page. A query has texts, and of those only these two are one.
    is_deleted: Annotated[Literal["true", "false"], WithJsonSchema({"type": "boolean"})] | None = (
        None
    )


class UploadDocumentDto(RequestModel):
    """The form of ``POST /v1/file-documents`` (documented)."""

    file: UploadedFile
    category: OlderDocumentCategory
    downstream_entity_association_id: ObjectId


@operation(
    "GET",
    "/v1/file-documents",
    summary="List documents of a category",
    tag="file-documents",
    page="file-documents/list-documents",
    operation_id="FileDocumentFeatureController_getFileDocuments_v1",
    query=ListDocumentsQuery,
)
def list_documents(call: Call) -> list[FileDocument]:
    """List the documents of a category; without ``isDeleted``, deleted ones too (an option)."""
    query = call.query(ListDocumentsQuery)
    older = get_args(OlderDocumentCategory)
    if call.options.document_categories == "older" and query.category not in older:
        raise InvalidInput(
            f"category must be one of the following values: {', '.join(older)}",
            reason="option document_categories='older' leaves out the two newer ones",
        )
    without_parameter = None if call.options.deleted_documents == "listed" else "false"
    return call.records.documents.where(
        category=query.category,
        sub_category=query.sub_category,
        is_deleted=query.is_deleted or without_parameter,
    )


@operation(
    "POST",
    "/v1/file-documents",
    summary="Upload a PDF for an agency",
    tag="file-documents",
    page="file-documents/upload-document",
    status=201,
    operation_id="FileDocumentFeatureController_uploadNewDocument_v1",
    form=UploadDocumentDto,
    errors=(404,),
    documented_errors=(400,),
    largest_file=MAX_FILE_BYTES,
    file_type="application/pdf",
)
def upload_document(call: Call) -> FileDocument:
    """Upload a PDF: its metadata is kept, and an E&O or Cyber policy counts as received."""
    form = call.form(UploadDocumentDto)
    check_size(call, form.file)
    if not form.file.content.startswith(_PDF):
        raise InvalidInput("file must be a PDF", reason="the content does not begin with %PDF-")
    association_id = named_association(call, form.downstream_entity_association_id).id
    document = call.records.documents.add(
        category=form.category,
        downstream_entity_association_id=association_id,
        file_name=form.file.name,
    )
    if form.category in ("E&O", "Cyber"):
        call.records.coverages.receive(association_id, form.category)
    return document


def check_size(call: Call, file: FormFile) -> None:
    """Check that a file has at most 10 MB (documented for policy files; the status is assumed).

    Raises:
        PayloadTooLarge: The file is larger.
        InvalidInput: The same, with the option ``too_large_file``.
    """
    if len(file.content) > MAX_FILE_BYTES:
        as_input = call.options.too_large_file == "invalid_input"
        refusal = InvalidInput if as_input else PayloadTooLarge
        raise refusal(
            "File too large", reason=f"the file has {len(file.content):,} bytes; most: 10 MB"
        )
