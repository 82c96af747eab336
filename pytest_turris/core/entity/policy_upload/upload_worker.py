"""Processes uploaded policy files: rows become policies and transactions.

Documented: rows of one policy number make one policy, an existing one is updated, a failed row
is reported by its index. Assumed: an agency is matched by NPN, FEIN, license, producer code or
exact name; a name that several agencies share needs clarification if the row has no other
identifier.
"""

import datetime as dt
from typing import Any

from pytest_turris.core.clock import later
from pytest_turris.core.entity.policy_upload.policy_file import policy_members, problem, transaction
from pytest_turris.core.entity.records import EntityRecords, is_pending
from pytest_turris.core.resources.associations import Association, digits
from pytest_turris.core.resources.uploads import Upload


class UploadWorker:
    """Processes the uploads of one upstream entity."""

    def __init__(self, records: EntityRecords) -> None:
        self._records = records

    def move_on(self, upload: Upload, at: dt.datetime) -> None:
        """Move an upload to its next state, as of the moment when that was due."""
        if upload.status == "QUEUED":
            self._records.uploads.update(
                upload,
                status="PROCESSING",
                due=later(at, self._records.uploads.step),
                updated_at=at,
            )
        elif upload.broken:
            errors = [
                {"index": upload.total_rows, "error": f"File could not be read: {upload.broken}"}
            ]
            self._records.uploads.update(
                upload, status="FAILED", errors=errors, due=None, updated_at=at
            )
        elif self._is_unclear(upload):
            self._records.uploads.update(
                upload, status="NEEDS_CLARIFICATION", due=None, updated_at=at
            )
        else:
            self._ingest(upload, at)

    def _ingest(self, upload: Upload, at: dt.datetime) -> None:
        errors: list[dict[str, Any]] = []
        by_number: dict[str, list[dict[str, str]]] = {}
        for index, row in enumerate(upload.rows):
            number = row.get("policyNumber", "")
            if message := problem(row):
                error = {"index": index, "error": message, "policy_number": number or None}
                errors.append(error)
            else:
                by_number.setdefault(number, []).append(row)
        created = sum(self._apply(number, rows, upload, at) for number, rows in by_number.items())
        self._records.uploads.update(
            upload,
            status="COMPLETED_WITH_FAILURES" if errors else "COMPLETED",
            created=created,
            updated=upload.total_rows - created - len(errors),
            failed=len(errors),
            errors=errors,
            updated_at=at,
            due=None,
        )

    def _apply(
        self, number: str, rows: list[dict[str, str]], upload: Upload, at: dt.datetime
    ) -> bool:
        """Apply the rows of one policy in their order, as one change; True if it is a new one.

        One by one, a file of many rows for one policy would take quadratic time.
        """
        members: dict[str, Any] = {"updated_at": at}
        for row in rows:
            members |= self._matched(row, upload) | policy_members(row)
        known = self._records.policies.numbered(number)
        transactions = [*map(dict, known.transactions)] if known else []
        seen = {(one["type"], one["date"]) for one in transactions}
        counts_all = self._records.options.repeated_transactions == "counted"
        for one in map(transaction, rows):
            if counts_all or (one["type"], one["date"]) not in seen:
                seen.add((one["type"], one["date"]))
                transactions.append(one)
        members |= {"transactions": transactions, "transaction_count": len(transactions)}
        if known is not None:
            self._records.policies.update(known, **members)
            return False
        self._records.policies.ingest(number, at, members)
        return True

    def _matched(self, row: dict[str, str], upload: Upload) -> dict[str, Any]:
        agencies = self._agencies(row)
        clarified = row.get("agencyName", "").lower() in upload.clarified
        entity = "manually matched" if clarified else "auto matched" if agencies else "unmatched"
        name = row.get("productName", "").lower()
        known = any(product.name.lower() == name for product in self._records.products)
        return {
            "entity_match_status": entity,
            "product_match_status": "auto matched" if known else "unmatched",
        }

    def _is_unclear(self, upload: Upload) -> bool:
        names = {
            row["agencyName"].lower()
            for row in upload.rows
            if row.get("agencyName") and _names_alone(row) and len(self._agencies(row)) > 1
        }
        return bool(names - set(upload.clarified))

    def _agencies(self, row: dict[str, str]) -> list[Association]:
        """The associations that a row may refer to, by its most reliable identifier.

        Branches may share an NPN and a FEIN: they are one agency.
        """
        associations = self._records.associations

        def where(**wanted: str | None) -> list[Association]:
            return [one for one in associations.where(**wanted) if associations.is_shown(one)]

        if npn := row.get("agencyNpn"):
            return where(npn=npn)
        if fein := row.get("agencyFein"):
            return where(fein=digits(fein))
        if code := row.get("producerCode"):
            return where(producer_code=code)
        number, state = row.get("agencyLicenseNumber"), row.get("agencyLicensedStateCode", "")
        if number:
            npns = sorted(self._records.licenses.npns(number, state))
            return [one for npn in npns for one in where(npn=npn) if not is_pending(one)]
        return where(legal_name=row.get("agencyName", "").lower())


def _names_alone(row: dict[str, str]) -> bool:
    others = ("agencyNpn", "agencyFein", "producerCode", "agencyLicenseNumber")
    return not any(row.get(name) for name in others)
