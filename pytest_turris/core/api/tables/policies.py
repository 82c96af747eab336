"""Policies and the files that they come in."""

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import policies
from pytest_turris.core.entity.policy_file import MOST_BYTES
from pytest_turris.core.resources.policies import Policy
from pytest_turris.core.resources.uploads import Upload

ROWS = (
    Operation(
        name="list_policies", method="GET", path="/v1/policies",
        operation_id="PoliciesController_getPolicies_v1", operation_id_documented=False,
        handler=policies.list_policies, summary="List policies", tag="policies",
        page="policies/list-policies", query=policies.ListPoliciesQuery, answer=Policy,
        many=True,
    ),
    Operation(
        name="get_policy", method="GET", path="/v1/policies/{policyId}",
        operation_id="PoliciesController_getPolicy_v1", operation_id_documented=False,
        handler=policies.get_policy, summary="Get a policy", tag="policies",
        page="policies/get-policy", answer=Policy,
    ),
    Operation(
        name="upload_policy_file", method="POST", path="/v1/policies/upload", status=201,
        operation_id="PoliciesController_uploadPolicyFile_v1", operation_id_documented=False,
        handler=policies.upload_policy_file, summary="Upload a file of policies",
        tag="policies", page="policies/upload-policy-file", form=policies.UploadPolicyFileDto,
        answer=policies.QueuedUpload, documented_errors=(400,), status_provenance="assumed",
        largest_file=MOST_BYTES,
    ),
    Operation(
        name="get_upload_status", method="GET", path="/v1/policies/uploads/{uploadId}",
        operation_id="PoliciesController_getUploadStatus_v1", operation_id_documented=False,
        handler=policies.get_upload_status, summary="Get how far an upload is",
        tag="policies", page="policies/get-upload-status", answer=Upload,
        documented_errors=(401, 404),
    ),
)  # fmt: skip
