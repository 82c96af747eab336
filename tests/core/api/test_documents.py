"""File documents: upload, list with filters, refusals."""

from collections.abc import Callable

from doubles.sandbox_client import Client, refusal

FILES = "/v1/file-documents"
BOUNDARY = ("content-type", "multipart/form-data; boundary=frontier")
PDF = b"%PDF-1.7\r\n--frontie\r\n\x00\xff"


def upload(caller: Client, content: bytes = PDF, **fields: str) -> tuple[int, object]:
    """POST a form with a file; returns the status and the data or the error messages."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
             for name, text in fields.items()]  # fmt: skip
    head = b'Content-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in [*parts, head + content])
    answer = caller.send("POST", FILES, headers=[BOUNDARY], body=body + b"--frontier--\r\n")
    return (
        (answer.status, answer.json()["data"])
        if answer.status == 201
        else (answer.status, refusal(answer)[2])
    )


def test_an_uploaded_document_is_listed(caller: Client) -> None:
    """Members in the documented order; an E&O policy counts as received."""
    agency = caller.sandbox.associations.add()
    status, sent = upload(caller, category="E&O", downstreamEntityAssociationId=agency.id)
    assert status == 201
    assert isinstance(sent, dict)
    assert list(sent) == ["_id", "category", "versions", "createdAt", "updatedAt"]
    assert list(sent["versions"][0]) == ["s3VersionId", "metadataModel", "metadataId"]
    assert caller.get(f"{FILES}?category=E%26O").json()["data"] == [sent]
    path = f"/v1/downstream-entity-associations/{agency.id}/policy-compliance-statuses"
    assert caller.get(path).json()["data"]["eAndO"]["collectionStatus"] == "received"


def test_only_a_pdf_of_a_known_category_and_agency(caller: Client) -> None:
    """All failed rules are reported at once, then the file's content; nothing is kept."""
    agency = caller.sandbox.associations.add()
    assert upload(caller, category="Tax")[0] == 400
    assert len(upload(caller, category="Tax")[1]) == 2  # type: ignore[arg-type] # messages
    whole = {"category": "W9", "downstreamEntityAssociationId": agency.id}
    assert upload(caller, b"GIF89a", **whole) == (400, ["file must be a PDF"])
    nobody = whole | {"downstreamEntityAssociationId": "0" * 24}
    assert upload(caller, PDF, **nobody) == (404, ["Downstream entity association not found"])
    huge = PDF + bytes(10 * 1024 * 1024)
    assert upload(caller, huge, **whole) == (413, ["File too large"])
    assert refusal(caller.post(FILES, whole))[2][0] == "Field 'file' is required"
    assert len(caller.sandbox.documents) == 0


def test_the_filters_of_the_list(caller: Client) -> None:
    """``category`` is required; the others narrow."""
    add = caller.sandbox.documents.add
    add(category="Producer Agreement", sub_category="template")
    add(category="Producer Agreement", is_deleted=True)
    assert refusal(caller.get(FILES))[0] == 400
    query = f"{FILES}?category=Producer%20Agreement"
    for more, count in (("", 2), ("&subCategory=template", 1), ("&isDeleted=true", 1)):
        assert len(caller.get(query + more).json()["data"]) == count
    assert caller.get(f"{query}&isDeleted=yes").status == 400


def test_the_two_newer_categories_are_disputed(caller_with: Callable[..., Client]) -> None:
    """Two copies of the page disagree, so an option decides."""
    for copy, status in (("newer", 200), ("older", 400)):
        caller = caller_with(document_categories=copy)
        assert caller.get(f"{FILES}?category=Surplus%20Lines").status == status


def test_the_deletion_status_is_described_as_a_boolean(caller: Client) -> None:
    """As the page has it: a generated client takes a boolean, and sends one of two texts."""
    description = caller.get("/__sandbox__/openapi.json").json()
    query = description["paths"]["/v1/file-documents"]["get"]["parameters"]
    [schema] = [one["schema"] for one in query if one["name"] == "isDeleted"]
    assert schema == {"type": "boolean"}
