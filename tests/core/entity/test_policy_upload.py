"""Uploads of policy files: rows, states, errors, and the policies that they become."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from doubles.sandbox_client import Client, refusal
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from pytest_turris.core.entity.policy_upload.policy_file import as_date
from pytest_turris.core.entity.policy_upload.workbook import MAX_ROWS
from pytest_turris.core.resources.record import RecordError

HEADERS = (
    "policyNumber",
    "riskStateCode",
    "policyTransactionType",
    "policyTransactionDate",
    "agencyName",
    "premiumAmountInUSD",
    "effectiveDate",
)
ROW = ("POL-1", "CA", "New", "2025-01-15", "Acme", "5000", "01/15/2025")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table(*rows: tuple[str, ...], headers: tuple[str, ...] = HEADERS) -> bytes:
    """A CSV file."""
    return "\r\n".join(",".join(cells) for cells in (headers, *rows)).encode()


def sent(caller: Client, content: bytes, name: str = "policies.csv") -> Any:  # noqa: ANN401 - an id or messages
    """POST a file; give the upload's id, or the error messages."""
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = b"--frontier\r\n" + head + content + b"\r\n--frontier--"
    headers = [("content-type", "multipart/form-data; boundary=frontier")]
    answer = caller.send("POST", "/v1/policies/upload", headers=headers, body=body)
    if answer.status != 201:
        return refusal(answer)[2]
    assert answer.json()["data"]["status"] == "QUEUED"
    return answer.json()["data"]["uploadId"]


def status(caller: Client, upload_id: str) -> dict[str, Any]:
    """The status of an upload."""
    return dict(caller.get(f"/v1/policies/uploads/{upload_id}").json()["data"])


def test_a_file_becomes_policies_and_transactions(caller: Client) -> None:
    """Queued, processing, completed; rows of one number make one policy."""
    rows = (ROW, ("POL-1", "CA", "Endorsement", "2025-02-01", "Acme", "6000", ""),
            ("POL-2", "TX", "New", "01/15/2025", "Acme", "", ""))  # fmt: skip
    upload_id = sent(caller, table(*rows))
    states = []
    for _ in range(3):
        states.append(status(caller, upload_id)["status"])
        caller.sandbox.clock.advance(seconds=5)
    assert states == ["QUEUED", "PROCESSING", "COMPLETED"]
    done = status(caller, upload_id)
    assert list(done) == [
        "uploadId", "status", "totalRows", "created", "updated", "failed", "errors", "createdAt",
        "updatedAt",
    ]  # fmt: skip
    assert (done["totalRows"], done["created"], done["updated"], done["failed"]) == (3, 2, 1, 0)
    (policy,) = caller.get("/v1/policies?policyNumber=POL-1").json()["data"]
    assert policy["transactionCount"] == 2
    assert policy["premiumAmountInUSD"] == 6000
    assert policy["effectiveDate"] == "2025-01-15T00:00:00.000Z"
    assert policy["currentStatus"] == "active"
    assert caller.get(f"/v1/policies/{policy['_id']}").json()["data"] == policy


def test_many_rows_of_one_policy_are_one_change(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their number does not multiply the work: each change copies all transactions so far."""
    changes: list[object] = []
    monkeypatch.setattr(
        caller.sandbox.policies, "update", lambda *_, **members: changes.append(members)
    )
    monkeypatch.setattr(caller.sandbox.policies, "ingest", lambda *given: changes.append(given))
    sent(caller, table(*(ROW for _ in range(300))))
    caller.sandbox.clock.advance(minutes=1)
    caller.sandbox.settle()
    assert len(changes) == 1


def test_failed_rows_are_reported_by_their_index(caller: Client) -> None:
    """Zero-based, with the policy number where the row has one; the others take effect."""
    rows = (ROW, ("POL-2", "", "New", "2025-01-15", "A", "", ""),
            ("", "CA", "New", "2025-01-15", "A", "", ""),
            ("POL-4", "CA", "Sale", "2025-01-15", "A", "", ""),
            ("POL-5", "CA", "New", "soon", "A", "", ""),
            ("POL-6", "CA", "New", "2025-01-15", "A", "nan", ""),
            ("POL-7", "CA", "New", "2025-01-15", "", "", ""),
            ("POL-8", "ZZ", "New", "2025-01-15", "A", "", ""))  # fmt: skip
    upload_id = sent(caller, table(*rows))
    caller.sandbox.clock.advance(seconds=10)
    done = status(caller, upload_id)
    assert done["status"] == "COMPLETED_WITH_FAILURES"
    assert done["created"] + done["updated"] + done["failed"] == done["totalRows"]
    assert done["errors"] == [
        {"index": 1, "error": "Missing required field: riskStateCode", "policyNumber": "POL-2"},
        {"index": 2, "error": "Missing required field: policyNumber"},
        {"index": 3, "error": "Invalid policyTransactionType", "policyNumber": "POL-4"},
        {"index": 4, "error": "Invalid policyTransactionDate", "policyNumber": "POL-5"},
        {"index": 5, "error": "Invalid premiumAmountInUSD", "policyNumber": "POL-6"},
        {"index": 6, "error": "Missing agency identifier", "policyNumber": "POL-7"},
        {"index": 7, "error": "Invalid riskStateCode", "policyNumber": "POL-8"},
    ]


def test_an_excel_file_is_read_as_it_is_written(caller: Client) -> None:
    """Texts, numbers and dates of a real workbook."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADERS)
    sheet.append(("POL-1", "CA", "New", 45672, "Acme", 5000.5, None))
    file = io.BytesIO()
    book.save(file)
    upload_id = sent(caller, file.getvalue(), "policies.XLSX")
    caller.sandbox.clock.advance(seconds=10)
    assert status(caller, upload_id)["status"] == "COMPLETED"
    (policy,) = caller.sandbox.policies
    assert policy.premium_amount_in_usd == 5000.5
    assert f"{policy.transactions[0].date:%Y-%m-%d}" == "2025-01-15"


def test_dates_of_a_workbook_that_counts_from_1904(caller: Client) -> None:
    """Numbers of days are of the workbook's own calendar, and written dates of everyone's."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(HEADERS)
    sheet.append(("POL-1", "CA", "New", 44210, "Acme", 5000, "01/16/2025"))
    sheet.append(("POL-2", "CA", "New", dt.datetime(2025, 1, 15), "Acme", 5000, None))  # noqa: DTZ001 - as openpyxl takes it
    file = io.BytesIO()
    book.save(file)
    sent(caller, file.getvalue(), "policies.xlsx")
    caller.sandbox.clock.advance(seconds=10)
    first, second = caller.sandbox.policies
    for policy in (first, second):
        assert f"{policy.transactions[0].date:%Y-%m-%d}" == "2025-01-15"
    assert f"{first.effective_date:%Y-%m-%d}" == "2025-01-16"


def test_a_trailing_comma_is_no_header(caller: Client) -> None:
    """Spreadsheets write one where a column was used and emptied; cells below it do not count."""
    content = table((*ROW, "", "left over"), headers=(*HEADERS, "", ""))
    upload_id = sent(caller, content)
    caller.sandbox.clock.advance(seconds=10)
    assert status(caller, upload_id)["status"] == "COMPLETED"
    (message,) = sent(caller, table(headers=(*HEADERS[:4], "", *HEADERS[4:])))
    assert message == "Unrecognized header: "


def test_a_file_with_too_many_rows_is_refused(caller: Client) -> None:
    """Also if its headers are good: no more rows are read than a file may have."""
    rows = b"\r\n" + ",".join(ROW).encode()
    assert sent(caller, table() + rows * (MAX_ROWS + 1)) == ["file could not be read"]
    assert len(caller.sandbox.uploads) == 0


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (table(headers=(*HEADERS, "shoeSize")), "a.csv", "Unrecognized header: shoeSize"),
        (table(headers=(*HEADERS, "agencyName")), "a.csv", "Duplicate header: agencyName"),
        (table(headers=HEADERS[1:]), "a.csv", "Missing required header: policyNumber"),
        (table(headers=HEADERS[:4]), "a.csv", ("At least one agency identifier is required: "
         "agencyName, agencyNpn, agencyFein, agencyLicenseNumber, producerCode")),
        (table(ROW), "a.pdf", "file must be a CSV (.csv) or Excel (.xlsx) file"),
        (b"\xff\xfe\x00", "a.csv", "file could not be read"),
        (table(ROW), "a.xlsx", "file could not be read"),
        (b"PK\x03\x04", "a.xlsx", "file could not be read"),
    ],
)  # fmt: skip
def test_headers_are_checked_at_once(
    caller: Client, content: bytes, name: str, message: str
) -> None:
    """A 400, and nothing is queued."""
    assert sent(caller, content, name) == [message]
    assert len(caller.sandbox.uploads) == 0


def test_a_file_that_breaks_off_fails(caller: Client) -> None:
    """Its headers were good; its rows take no effect."""
    upload_id = sent(caller, table(ROW) + b"\r\nPOL-2,\xff")
    caller.sandbox.clock.advance(seconds=10)
    assert status(caller, upload_id)["status"] == "FAILED"
    assert len(caller.sandbox.policies) == 0


def test_an_ambiguous_agency_needs_clarification(caller: Client) -> None:
    """The upload waits for clarification, and then goes on."""
    agency, _ = (caller.sandbox.associations.add(downstream_entity_name="Acme") for _ in "12")
    upload_id = sent(caller, table(ROW))
    caller.sandbox.clock.advance(days=1)
    caller.token()
    assert status(caller, upload_id)["status"] == "NEEDS_CLARIFICATION"
    caller.sandbox.uploads.clarify(upload_id, {"Acme": agency.id})
    assert status(caller, upload_id)["status"] == "PROCESSING"
    caller.sandbox.clock.advance(seconds=5)
    assert status(caller, upload_id)["status"] == "COMPLETED"
    (policy,) = caller.sandbox.policies
    assert policy.entity_match_status == "manually matched"


def test_an_upload_can_be_stopped(caller: Client) -> None:
    """By a user or by a failure; one that is over stays over."""
    for stop, word in (
        (caller.sandbox.uploads.cancel, "CANCELLED"),
        (caller.sandbox.uploads.fail, "FAILED"),
    ):
        upload_id = sent(caller, table(ROW))
        stop(upload_id)
        caller.sandbox.clock.advance(minutes=1)
        assert status(caller, upload_id)["status"] == word
        with pytest.raises(RecordError, match=word):
            stop(upload_id)
    assert len(caller.sandbox.policies) == 0


def test_the_bare_status_is_an_option(caller_with: Callable[..., Client]) -> None:
    """The page's sample has no envelope; its text describes one."""
    caller = caller_with(upload_status_envelope="bare")
    upload_id = sent(caller, table(ROW))
    assert caller.get(f"/v1/policies/uploads/{upload_id}").json()["uploadId"] == upload_id


def test_policies_are_filtered_and_deleted_ones_left_out(caller: Client) -> None:
    """The filters can be combined; a status follows the clock."""
    add = caller.sandbox.policies.add
    add(policy_number="A", risk_state_code="TX")
    add(policy_number="B", current_status="non renewed")
    gone = add(policy_number="C", is_deleted=True)

    def numbers(query: str) -> list[str]:
        return [row["policyNumber"] for row in caller.get(f"/v1/policies?{query}").json()["data"]]

    assert numbers("") == ["A", "B"]
    assert numbers("currentStatus=active&riskStateCode=TX") == ["A"]
    assert numbers("currentStatus=non%20renewed") == ["B"]
    assert caller.get(f"/v1/policies/{gone.id}").status == 404
    caller.sandbox.clock.advance(days=200)
    caller.token()
    assert numbers("currentStatus=expired") == ["A"]


def test_what_has_become_due_is_seen(caller: Client) -> None:
    """In Python and over the API alike: no call is needed in between."""
    upload_id = sent(caller, table(ROW))
    caller.sandbox.clock.advance(seconds=10)
    assert caller.sandbox.uploads.get(upload_id).status == "COMPLETED"
    assert len(caller.sandbox.policies) == 1


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("agencyNpn", "77"),
        ("agencyFein", "12-3456789"),
        ("producerCode", "P-1"),
        ("agencyLicenseNumber", "L-1"),
        ("agencyName", "acme"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_an_agency_is_matched_by_each_identifier(
    caller: Client, header: str, value: str, known: bool
) -> None:
    """By NPN, FEIN, producer code, license, or name in any case."""
    agency = caller.sandbox.associations.add(
        downstream_entity_npn="77",
        ein="123456789",
        producer_code="P-1",
        downstream_entity_name="Acme",
    )
    caller.sandbox.licenses.add(npn=agency.npn or "", state_code="CA", license_number="L-1")
    headers = ("policyNumber", "riskStateCode", "policyTransactionType", "policyTransactionDate",
               header, "agencyLicensedStateCode")  # fmt: skip
    row = ("POL-1", "CA", "New", "2025-01-15", value if known else value + "0", "CA")
    sent(caller, table(row, headers=headers))
    caller.sandbox.clock.advance(seconds=10)
    (policy,) = caller.sandbox.policies
    assert policy.entity_match_status == ("auto matched" if known else "unmatched")


@pytest.mark.parametrize(("synchronized", "match"), [(True, "auto matched"), (False, "unmatched")])
def test_an_agency_is_matched_by_its_license_once_nipr_has_told_it(
    caller: Client, synchronized: bool, match: str
) -> None:
    """Before its first fetch no license of it is known."""
    caller.sandbox.associations.add(downstream_entity_npn="77", synchronized=synchronized)
    caller.sandbox.licenses.add(npn="77", state_code="CA", license_number="L-1")
    headers = ("policyNumber", "riskStateCode", "policyTransactionType", "policyTransactionDate",
               "agencyLicenseNumber", "agencyLicensedStateCode")  # fmt: skip
    sent(caller, table(("POL-1", "CA", "New", "2025-01-15", "L-1", "CA"), headers=headers))
    caller.sandbox.clock.advance(seconds=10)
    (policy,) = caller.sandbox.policies
    assert policy.entity_match_status == match


def test_a_cancelled_policy_is_shown_as_such(caller: Client) -> None:
    """After a Cancellation its dates no longer count."""
    sent(caller, table(ROW, ("POL-1", "CA", "Cancellation", "2025-02-01", "Acme", "", "")))
    caller.sandbox.clock.advance(seconds=10)
    (policy,) = caller.get("/v1/policies").json()["data"]
    assert policy["currentStatus"] == "cancelled"


def test_a_serial_number_out_of_range_is_not_a_date() -> None:
    """A spreadsheet counts days from 1 to the end of the year 9999."""
    for text in ("0", "2958466"):
        with pytest.raises(ValueError, match=rf"^'{text}' is not a date$"):
            as_date(text)
