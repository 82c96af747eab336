"""Contract container templates: list the active ones."""

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.operation import operation
from pytest_turris.core.resources.templates import ContractContainerTemplate


@operation(
    "GET",
    "/v1/contract-container-templates",
    summary="List active contract templates",
    tag="contract-container-templates",
    page="contract-container-templates/list",
    operation_id="ContractContainerTemplatesController_getTemplates_v1",
    operation_id_documented=False,
)
def list_templates(call: Call) -> list[ContractContainerTemplate]:
    """List the active templates."""
    return call.records.templates.where(status="active")
