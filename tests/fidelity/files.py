"""The files of policies that the checks upload."""

import io

from openpyxl import Workbook

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROW = {
    "policyNumber": "POL-1",
    "riskStateCode": "CA",
    "policyTransactionType": "New",
    "policyTransactionDate": "2025-01-15",
    "agencyName": "Acme",
}


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """A CSV file with the columns of its first row."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def as_xlsx(rows: list[dict[str, str]]) -> bytes:
    """An Excel file with the columns of its first row."""
    book = Workbook()
    for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
        book.active.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
