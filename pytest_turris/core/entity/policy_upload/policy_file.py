"""Policy files: their columns, and the errors in a row.

Required columns, transaction types, date formats, "unrecognized headers are rejected" and the
message for a missing field are documented (policies/upload-policy-file, get-upload-status); that
the other columns are the members of a policy, and the remaining messages, are assumed.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any, get_args

from pydantic.alias_generators import to_camel

from pytest_turris.core.resources.policies import OPTIONAL_MEMBERS, Policy, TransactionType
from pytest_turris.core.wire.model import StateCode

REQUIRED = ("policyNumber", "riskStateCode", "policyTransactionType", "policyTransactionDate")
AGENCY_IDENTIFIERS = (
    "agencyName", "agencyNpn", "agencyFein", "agencyLicenseNumber", "producerCode",
)  # fmt: skip
"""At least one is needed; the documented list is cut off after ``agencyNpn``."""
DOCUMENTED = (*REQUIRED, "agencyName", "agencyNpn")
"""The columns that a page of Turris names; the others are assumed."""
OPTIONAL = {Policy.model_fields[name].alias or to_camel(name): name for name in OPTIONAL_MEMBERS}
COLUMNS = tuple(dict.fromkeys((*REQUIRED, *AGENCY_IDENTIFIERS, *OPTIONAL)))
POLICY_PAGE = "reference/policy-file"
"""Where the columns are described."""
MAX_FILE_BYTES = 10 * 1024 * 1024
"""Documented: 10 MB."""

DATES = ("effectiveDate", "expiryDate", "policyTransactionDate")
_FORMATS = ("%Y-%m-%d", "%m/%d/%Y")
_EPOCH = dt.datetime(1899, 12, 30, tzinfo=dt.UTC)
_LAST_SERIAL = 2_958_465


def expected_text(header: str) -> str:
    """What a cell of a column may have, in words."""
    if header == "policyTransactionType":
        return f"one of {', '.join(get_args(TransactionType))}"
    if header == "riskStateCode":
        return f"one of {', '.join(get_args(StateCode))}"
    if header in DATES:
        return "a date: 2025-01-15, 01/15/2025, or the serial number of a spreadsheet"
    return "a number, such as 5000.5 or $5,000" if _is_amount(header) else "any text"


def explained_error(error: str) -> str:
    """What was expected where a row has this error; the error itself where it says that."""
    header = error.removeprefix("Invalid ")
    return f"{error}: expected {expected_text(header)}" if header in COLUMNS else error


def problem(row: dict[str, str]) -> str:
    """The first error in a row; empty if the row is valid."""
    return next(_problems(row), "")


def policy_members(row: dict[str, str]) -> dict[str, Any]:
    """The members of a policy in a valid row, besides its number."""
    found: dict[str, Any] = {"risk_state_code": row["riskStateCode"]}
    for header, name in OPTIONAL.items():
        if text := row.get(header, ""):
            found[name] = _converted(header, text)
    return found


def transaction(row: dict[str, str]) -> dict[str, Any]:
    """The transaction in a valid row."""
    return {"type": row["policyTransactionType"], "date": as_date(row["policyTransactionDate"])}


def as_date(text: str) -> dt.datetime:
    """A date such as ``2025-01-15``, ``01/15/2025`` or a spreadsheet's serial number.

    Raises:
        ValueError: It is in none of these formats.
    """
    for form in _FORMATS:
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    serial = float(text)
    if not 1 <= serial <= _LAST_SERIAL:
        raise ValueError(f"{text!r} is not a date")
    return _EPOCH + dt.timedelta(days=int(serial))


def _problems(row: dict[str, str]) -> Iterator[str]:
    for name in REQUIRED:
        if not row.get(name):
            yield f"Missing required field: {name}"  # documented
    if not any(row.get(name) for name in AGENCY_IDENTIFIERS):
        yield "Missing agency identifier"
    if row.get("riskStateCode") not in get_args(StateCode):
        yield "Invalid riskStateCode"
    if row.get("policyTransactionType") not in get_args(TransactionType):
        yield "Invalid policyTransactionType"
    for header in (*DATES, *OPTIONAL):
        if row.get(header) and not _fits(header, row[header]):
            yield f"Invalid {header}"


def _fits(header: str, text: str) -> bool:
    try:
        value = _converted(header, text)
    except (ValueError, OverflowError):
        return False
    return not isinstance(value, float) or abs(value) < float("inf")


def _is_amount(header: str) -> bool:
    return header.endswith("InUSD")


def _converted(header: str, text: str) -> str | float | dt.datetime:
    if header in DATES:
        return as_date(text)
    if _is_amount(header):
        number = float(text.replace(",", "").removeprefix("$"))
        return int(number) if number.is_integer() else number
    return text
