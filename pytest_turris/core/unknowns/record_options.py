"""The options about records, answers and events: what the documentation leaves open about them."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from pytest_turris.core.unknowns.signature_options import SignatureOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOptions(SignatureOptions):
    """How records become answers and events. Defaults follow the documentation where it exists.

    The fidelity table names each option at the behaviour that it changes.
    """

    missing_member: Literal["field_is_required", "class_validator"] = "field_is_required"
    """The 400 for a missing member: ``Field 'npn' is required``, as three samples print it, or the
    message of class-validator, as one does."""

    failed_fallback: Literal["bearer", "restricted_token"] = "bearer"
    """Which refusal a request gets whose bearer and restricted access token both fail: that of the
    bearer token, a 401, or that of the other, such as a 403 for its allowlist (undocumented)."""

    malformed_id: Literal["not_found", "invalid_input"] = "not_found"
    """An id in a path that is not an ObjectId: 404, or 400 (undocumented)."""

    first_sync: Literal["queued", "done"] = "queued"
    """The first NIPR fetch of a new NPN: takes ``sync_duration``, or is done at once.

    Until then there are no licenses, appointments and regulatory actions, and no names by NIPR.
    """

    first_status_event: Literal["none", "sent"] = "none"
    """Whether status events report that a status becomes ``Pending Data`` with a new NPN, and what
    it is after the first fetch (undocumented)."""

    sync_outcome: Literal["success", "failed"] = "success"
    """How each NIPR fetch ends (the help centre knows failed ones).

    A single NPN fails if ``turris.npns`` has it as ``not found``, or as that of the other kind of
    producer.
    """

    unknown_npn: Literal["invented", "not_found"] = "invented"
    """The first fetch of an NPN that ``turris.npns`` does not have: it invents the names that are
    not given, or fails."""

    agent_license_filter: Literal["pair", "single"] = "pair"
    """``licenseNumber`` or ``stateCode`` alone at ``GET /v1/agents``: a 400, as documented for
    associations, or a filter of its own (undocumented)."""

    duplicate_agent: Literal["joined", "invalid_input", "conflict"] = "joined"
    """``POST /v1/agents`` with a known NPN: 201 with the same agent, who joins the association; or
    400; or 409 (undocumented)."""

    recreated_agent: Literal["restored", "unchanged"] = "restored"
    """``POST /v1/agents`` with the NPN of a deleted or archived agent, unless ``duplicate_agent``
    refuses it: the agent is neither any more, or stays what it is (undocumented)."""

    deleted_agents: Literal["listed", "hidden"] = "listed"
    """Whether lists show deleted and archived agents, which have members that say so."""

    deleted_associations: Literal["hidden", "listed"] = "hidden"
    """Whether answers show soft-deleted associations, in which nothing says that they are."""

    deleted_documents: Literal["listed", "hidden"] = "listed"
    """Whether documents are listed that are deleted, without the parameter ``isDeleted``."""

    invited_agencies: Literal["listed", "hidden"] = "listed"
    """Whether an invited agency is shown at once, or once it has signed or accepted
    (``associations.update(..., is_invited=False)``)."""

    write_success_status: Literal["201", "200"] = "201"
    """The success of creating an agent, invite, add and an agency's sync (no page shows it)."""

    upload_success_status: Literal["201", "200", "202"] = "201"
    """The success of ``POST /v1/policies/upload`` (no page shows it)."""

    empty_success_body: Literal["none", "envelope"] = "none"
    """The body of a success without data, such as a sync's: none, or an envelope with ``null``."""

    unknown_fein: Literal["not_found", "empty"] = "not_found"
    """Surplus lines of a FEIN that no agency has: 404, or an empty list (undocumented)."""

    product_not_sold: Literal["empty", "not_found"] = "empty"
    """Compliance in a state where the product is not sold: no states, or 404 (undocumented)."""

    unknown_association: Literal["not_found", "invalid_input"] = "not_found"
    """A body that names an association that does not exist: 404, or 400 (undocumented)."""

    too_large_file: Literal["payload_too_large", "invalid_input"] = "payload_too_large"
    """A file over 10 MB: 413, or 400, which is what the page of file documents lists."""

    write_windows: Literal["shared", "per_operation"] = "shared"
    """Whether all writes of a credential share one rate limit window (undocumented)."""

    idempotency_keys: Literal["any_uuid", "uuid_v4"] = "any_uuid"
    """Which idempotency keys are valid: any text in the form of a UUID, as the message of the 400
    says, or a UUID of version 4, as the headers are described."""

    npn_lookup_member: str = "npns"
    """The name of the list in the body of an NPN lookup (undocumented)."""

    email_filter: Literal["contacts", "primary_contact"] = "contacts"
    """Whose addresses the e-mail filters of associations look at: all contacts, as the page says,
    or the primary one."""

    extraction_duration: dt.timedelta = dt.timedelta(minutes=2)
    """How long it takes to read an uploaded E&O or Cyber policy (undocumented)."""

    blank_rows: Literal["skipped", "counted"] = "skipped"
    """A blank row of a policy file: left out of ``totalRows`` and ``index``, or a row that fails
    (undocumented)."""

    repeated_transactions: Literal["counted", "ignored"] = "counted"
    """A transaction with the policy number, type and date of an earlier one: one more, or the
    same (undocumented)."""

    webhook_batch: Literal["type", "entity"] = "type"
    """Which changes wait together for ``webhook_debounce``: all of one type, or those of one agent
    or agency (undocumented)."""

    webhook_reverted: Literal["sent", "dropped"] = "sent"
    """A status that is as it was before the wait: sent or dropped (undocumented)."""
