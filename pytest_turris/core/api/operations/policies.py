"""Policies: list with filters, get, upload a file, get the state of an upload."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import Guide, Link, operation
from pytest_turris.core.api.operations.documents import check_size
from pytest_turris.core.entity.policy_upload.policy_file import (
    MAX_FILE_BYTES,
    POLICY_PAGE,
    explained_error,
)
from pytest_turris.core.resources.policies import Policy, PolicyStatus
from pytest_turris.core.resources.record import WireModel
from pytest_turris.core.resources.uploads import Upload, UploadStatus
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import ObjectId, RequestModel, StateCode
from pytest_turris.core.wire.multipart import UploadedFile

_NOTED = 5
"""How many failed rows the journal explains."""


class ListPoliciesQuery(RequestModel):
    """The filters can be combined (documented)."""

    policy_number: str | None = None
    current_status: PolicyStatus | None = None
    risk_state_code: StateCode | None = None


class UploadPolicyFileDto(RequestModel):
    """The form of ``POST /v1/policies/upload`` (documented)."""

    file: UploadedFile


class QueuedUpload(WireModel):
    """The answer to an upload (documented)."""

    upload_id: ObjectId
    status: UploadStatus


@operation(
    "GET",
    "/v1/policies",
    summary="List policies",
    tag="policies",
    page="policies/list-policies",
    operation_id="PoliciesController_getPolicies_v1",
    operation_id_documented=False,
    query=ListPoliciesQuery,
)
def list_policies(call: Call) -> list[Policy]:
    """List the policies that match every given filter, without deleted ones."""
    query = call.query(ListPoliciesQuery)
    found = call.records.policies.where(
        is_deleted="false", policy_number=query.policy_number, risk_state_code=query.risk_state_code
    )
    wanted = query.current_status
    if wanted is not None:
        found = [policy for policy in found if policy.status_at(call.at) == wanted]
    return [_shown(call, policy) for policy in found]


@operation(
    "GET",
    "/v1/policies/{policyId}",
    summary="Get a policy",
    tag="policies",
    page="policies/get-policy",
    operation_id="PoliciesController_getPolicy_v1",
    operation_id_documented=False,
)
def get_policy(call: Call) -> Policy:
    """Get a policy; 404 for an unknown id or a deleted policy."""
    policy = call.records.policies.find(call.parameters["policyId"])
    if policy is None or policy.is_deleted:
        raise NotFound("Policy not found", reason="no policy with this id")
    return _shown(call, policy)


@operation(
    "POST",
    "/v1/policies/upload",
    summary="Upload a file of policies",
    tag="policies",
    page="policies/upload-policy-file",
    status=201,
    operation_id="PoliciesController_uploadPolicyFile_v1",
    operation_id_documented=False,
    form=UploadPolicyFileDto,
    documented_errors=(400,),
    status_provenance="assumed",
    status_option="upload_success_status",
    largest_file=MAX_FILE_BYTES,
    file_type="text/csv",
    guide=Guide(POLICY_PAGE, "The columns of the file, with what each cell may have"),
    links=(Link("get_upload_status", "uploadId", "uploadId"),),
)
def upload_policy_file(call: Call) -> QueuedUpload:
    """Upload a file: its headers are checked now, its rows are queued."""
    form = call.form(UploadPolicyFileDto)
    check_size(call, form.file)
    from pytest_turris.core.entity.policy_upload.policy_table import read_rows  # noqa: PLC0415 - it imports much

    rows, broken = read_rows(form.file, blank=call.options.blank_rows == "counted")
    upload = call.records.uploads.enqueue(rows, broken)
    return QueuedUpload(upload_id=upload.upload_id, status=upload.status)


@operation(
    "GET",
    "/v1/policies/uploads/{uploadId}",
    summary="Get how far an upload is",
    tag="policies",
    page="policies/get-upload-status",
    operation_id="PoliciesController_getUploadStatus_v1",
    operation_id_documented=False,
    documented_errors=(401, 404),
    bare_if=lambda options: options.upload_status_envelope == "bare",
)
def get_upload_status(call: Call) -> Upload:
    """Get the state of an upload; 404 for an unknown id (documented)."""
    upload = call.records.uploads.find(call.parameters["uploadId"])
    if upload is None:
        raise NotFound("Upload not found", reason="no upload with this id")
    failed = upload.errors[:_NOTED]
    call.notes += [f"data row {one.index}: {explained_error(one.error)}" for one in failed]
    return upload


def _shown(call: Call, policy: Policy) -> Policy:
    return policy.model_copy(update={"current_status": policy.status_at(call.at)})
