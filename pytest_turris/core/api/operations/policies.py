"""Policies: list with its filters, get, upload of a file, state of an upload."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operations.documents import check_size
from pytest_turris.core.entity.policy_file import read_rows
from pytest_turris.core.resources.collection import WireModel
from pytest_turris.core.resources.policies import Policy, PolicyStatus
from pytest_turris.core.resources.uploads import Upload, UploadStatus
from pytest_turris.core.wire.errors import NotFound
from pytest_turris.core.wire.model import ObjectId, RequestModel, StateCode
from pytest_turris.core.wire.multipart import UploadedFile


class ListPoliciesQuery(RequestModel):
    """The filters can be combined (documented)."""

    policy_number: str | None = None
    current_status: PolicyStatus | None = None
    risk_state_code: StateCode | None = None


class UploadPolicyFileDto(RequestModel):
    """The form of ``POST /v1/policies/upload`` (documented)."""

    file: UploadedFile


class QueuedUpload(WireModel):
    """What the upload's answer tells (documented)."""

    upload_id: ObjectId
    status: UploadStatus


def list_policies(call: Call) -> list[Policy]:
    """The policies that are not deleted and match every given filter."""
    query = call.query(ListPoliciesQuery)
    found = call.records.policies.where(
        is_deleted="false", policy_number=query.policy_number, risk_state_code=query.risk_state_code
    )
    wanted = query.current_status
    if wanted is not None:
        found = [policy for policy in found if policy.status_at(call.at) == wanted]
    return [_shown(call, policy) for policy in found]


def get_policy(call: Call) -> Policy:
    """One policy; 404 if there is none, or it is deleted."""
    policy = call.records.policies.find(call.parameters["policyId"])
    if policy is None or policy.is_deleted:
        raise NotFound("Policy not found", reason="no policy with this id")
    return _shown(call, policy)


def upload_policy_file(call: Call) -> QueuedUpload:
    """Check a file's headers, and queue its rows."""
    form = call.form(UploadPolicyFileDto)
    check_size(form.file)
    rows, broken = read_rows(form.file)
    upload = call.records.uploads.enqueue(rows, broken)
    return QueuedUpload(upload_id=upload.upload_id, status=upload.status)


def get_upload_status(call: Call) -> Upload:
    """How far an upload is; 404 if there is none (documented)."""
    upload = call.records.uploads.find(call.parameters["uploadId"])
    if upload is None:
        raise NotFound("Upload not found", reason="no upload with this id")
    call.bare = call.options.upload_status_envelope == "bare"
    return upload


def _shown(call: Call, policy: Policy) -> Policy:
    return policy.model_copy(update={"current_status": policy.status_at(call.at)})
