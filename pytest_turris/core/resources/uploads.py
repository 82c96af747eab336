"""Uploads of policy files, and their progress.

Members, states and the zero-based row index are documented (policies/get-upload-status). How
long a state lasts is an option; when an upload is FAILED or CANCELLED is assumed.
"""

import datetime as dt
from typing import ClassVar, Literal

from pytest_turris.core.clock import later
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.record import Record, RecordError, WireModel
from pytest_turris.core.wire.model import ObjectId, Timestamp

UploadStatus = Literal[
    "QUEUED",
    "PROCESSING",
    "COMPLETED",
    "COMPLETED_WITH_FAILURES",
    "NEEDS_CLARIFICATION",
    "FAILED",
    "CANCELLED",
]
TERMINAL = frozenset({"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"})


class UploadError(WireModel):
    """The error in one row; ``index`` counts data rows from 0."""

    index: int
    error: str
    policy_number: str | None = None


class Upload(Record):
    """One uploaded file. ``due`` is the moment at which it moves to its next state."""

    internal_fields: ClassVar[frozenset[str]] = frozenset({"rows", "broken", "clarified", "due"})

    upload_id: ObjectId
    status: UploadStatus = "QUEUED"
    total_rows: int
    created: int = 0
    updated: int = 0
    failed: int = 0
    errors: list[UploadError]
    created_at: Timestamp
    updated_at: Timestamp
    rows: list[dict[str, str]]
    broken: str
    clarified: dict[str, ObjectId]
    due: Timestamp | None

    @property
    def key(self) -> str:
        """The ``uploadId``."""
        return self.upload_id

    @property
    def is_over(self) -> bool:
        """Whether the status is terminal."""
        return self.status in TERMINAL


class Uploads(Collection[Upload]):
    """The uploads of the upstream entity."""

    kind = Upload

    @property
    def step(self) -> dt.timedelta:
        """How long an upload is queued, and how long it is processed."""
        return self._holder.options.upload_duration / 2

    def enqueue(self, rows: list[dict[str, str]], broken: str = "") -> Upload:
        """Add a stored file; ``broken`` says why the rest of it could not be read, if so."""
        now = self._clock.now()
        return self.make(
            upload_id=self._randomness.object_id(),
            total_rows=len(rows),
            errors=[],
            created_at=now,
            updated_at=now,
            rows=rows,
            broken=broken,
            clarified={},
            due=later(now, self.step),
        )

    def clarify(self, upload: Upload | str, agencies: dict[str, str]) -> Upload:
        """Resolve ambiguous agency names, so that processing goes on.

        Args:
            upload: The upload or its id.
            agencies: The association id for each ambiguous name.

        Raises:
            UnknownRecordError: There is no such upload.
            RecordError: It does not need clarification.
        """
        current = self._open(upload, "NEEDS_CLARIFICATION")
        answers = {name.lower(): association_id for name, association_id in agencies.items()}
        return self.update(
            current,
            status="PROCESSING",
            clarified=current.clarified | answers,
            due=later(self._clock.now(), self.step),
        )

    def cancel(self, upload: Upload | str) -> Upload:
        """Cancel an upload before its rows take effect, as a user can in the dashboard.

        Raises:
            UnknownRecordError: There is no such upload.
            RecordError: It is over.
        """
        return self.update(self._open(upload), status="CANCELLED", due=None)

    def fail(self, upload: Upload | str) -> Upload:
        """Let the processing of an upload fail.

        Raises:
            UnknownRecordError: There is no such upload.
            RecordError: It is over.
        """
        return self.update(self._open(upload), status="FAILED", due=None)

    def _open(self, upload: Upload | str, *statuses: UploadStatus) -> Upload:
        self._listener.settle()
        current = self._current(upload)
        if current.is_over or (statuses and current.status not in statuses):
            raise RecordError(f"upload {current.upload_id} is {current.status}")
        return current
