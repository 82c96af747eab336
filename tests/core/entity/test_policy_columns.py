"""The columns of a policy file are described, and a refused file or row says what was expected."""

import re
from typing import Any, get_args

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.api.openapi import document
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.entity.policy_upload.policy_file import (
    COLUMNS,
    expected_text,
    explained_error,
    problem,
)
from pytest_turris.core.options import Options
from pytest_turris.core.resources.policies import TransactionType
from pytest_turris.core.text.docs_links import page

ROW = {
    "policyNumber": "POL-1",
    "riskStateCode": "CA",
    "policyTransactionType": "New",
    "policyTransactionDate": "2025-01-15",
    "agencyName": "Acme",
}
PAGE = page("reference/policy-file")


def sent(caller: Client, headers: str) -> int:
    """POST a file of these columns without rows; give the status."""
    head = 'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    content = [("content-type", "multipart/form-data; boundary=b")]
    body = f"--b\r\n{head}{headers}\r\n--b--".encode()
    return caller.send("POST", "/v1/policies/upload", headers=content, body=body).status


def noted(caller: Client, *rows: dict[str, str]) -> tuple[Any, ...]:
    """The notes of the exchange that asks for the status of an upload of these rows."""
    upload = caller.sandbox.uploads.enqueue(list(rows))
    caller.sandbox.clock.advance(seconds=10)
    caller.get(f"/v1/policies/uploads/{upload.upload_id}")
    return caller.sandbox.journal[-1].notes


@pytest.mark.parametrize("header", COLUMNS)
def test_a_cell_is_refused_where_its_column_does_not_take_any_text(header: str) -> None:
    """What the description says is what the reader does."""
    found = problem(ROW | {header: "nonsense"})
    assert found == ("" if expected_text(header) == "any text" else f"Invalid {header}")


@pytest.mark.parametrize("header", COLUMNS)
def test_a_cell_takes_what_the_description_of_its_column_names(header: str) -> None:
    """Each value of a set, and each example."""
    values = re.findall(r"\b[A-Z]\w+|\$?\d[\d.,/-]*\d", expected_text(header))
    assert expected_text(header) == "any text" or values
    for value in values:
        assert problem(ROW | {header: value}) == ""


def test_the_journal_says_what_was_expected_of_a_failed_row(caller: Client) -> None:
    """The answer has the text that is assumed of Turris; a developer needs the values."""
    (note,) = noted(caller, ROW, ROW | {"policyTransactionType": "New Business"})
    assert note == (
        "data row 1: Invalid policyTransactionType: expected one of "
        f"{', '.join(get_args(TransactionType))}"
    )
    assert noted(caller, ROW | {"policyNumber": ""}) == (
        "data row 0: Missing required field: policyNumber",
    )
    assert noted(caller, ROW) == ()


def test_the_journal_explains_a_few_rows_of_many(caller: Client) -> None:
    """A file may have thousands that fail."""
    assert len(noted(caller, *[ROW | {"riskStateCode": "ZZ"}] * 50)) == 5


def test_an_error_that_says_what_is_missing_is_left_as_it_is() -> None:
    """Only an invalid value needs more words."""
    assert explained_error("Missing agency identifier") == "Missing agency identifier"


def test_refused_headers_lead_to_the_page_of_the_columns(caller: Client) -> None:
    """The answer has the messages alone; the journal has the page, too."""
    assert sent(caller, f"{','.join(ROW)},shoeSize") == 400
    assert caller.sandbox.journal[-1].reason == (
        f"Unrecognized header: shoeSize; the columns are on {PAGE}"
    )


def test_the_openapi_description_leads_to_the_page_of_the_columns() -> None:
    """A client's author reads that first."""
    described = document(tuple(OPERATIONS), Options())["paths"]["/v1/policies/upload"]["post"]
    assert described["externalDocs"]["url"] == PAGE
