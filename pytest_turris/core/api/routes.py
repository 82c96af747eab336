"""Every operation of the sandbox, in the order of the documented reference."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

from pytest_turris.core.api.call import Call
from pytest_turris.core.api.openapi import DOCUMENT_PATH, document
from pytest_turris.core.api.operation import Operation, operation
from pytest_turris.core.api.operations import (
    agents,
    appointments,
    associations,
    auth,
    compliance,
    contacts,
    documents,
    licenses,
    npn_lookup,
    onboarding,
    policies,
    products,
    regulatory_actions,
    syncs,
    templates,
    webhooks,
)
from pytest_turris.core.options import Options
from pytest_turris.core.unknowns.option_values import OptionError
from pytest_turris.core.wire.hosts import is_turris

_FIXED = (
    auth.get_oauth_token,
    auth.test_oauth,
    auth.test_restricted_access_token,
    auth.jwks,
    agents.list_agents,
    agents.create_agent,
    agents.get_agent,
    syncs.sync_agent,
    appointments.list_agent_appointments,
    compliance.get_agent_compliance,
    regulatory_actions.list_regulatory_actions,
    associations.list_associations,
    onboarding.invite,
    onboarding.dangerously_invite,
    onboarding.add_association,
    onboarding.dangerously_add,
    licenses.list_surplus_lines,
    licenses.dangerously_list_surplus_lines,
    associations.get_association,
    associations.get_sign_in_url,
    syncs.sync_association,
    licenses.list_licenses,
    appointments.list_association_appointments,
    compliance.get_association_compliance,
    compliance.get_policy_compliance,
    syncs.get_subscription_status,
    templates.list_templates,
    documents.list_documents,
    documents.upload_document,
    products.get_product,
    npn_lookup.lookup_npns,
    contacts.list_contacts,
    contacts.get_contact,
    policies.list_policies,
    policies.get_policy,
    policies.upload_policy_file,
    policies.get_upload_status,
)
_BELOW_WEBHOOKS_PATH = (
    webhooks.register_webhook,
    webhooks.list_webhooks,
    webhooks.get_webhook,
    webhooks.delete_webhook,
    webhooks.enable_webhook,
    webhooks.list_webhook_deliveries,
    webhooks.resend_webhook_delivery,
    webhooks.test_webhook,
)
_PARAMETER = re.compile(r"{\w+}")


@cache
def operations_at(webhooks_path: str) -> tuple[Operation, ...]:
    """Every operation, with those on webhooks below ``Options.webhooks_path``.

    Raises:
        OptionError: Another operation has one of their paths.
    """
    taken = {_shape(one): one for one in _FIXED}
    moved = tuple(_moved(one, webhooks_path) for one in _BELOW_WEBHOOKS_PATH)
    for one in moved:
        if other := taken.get(_shape(one)):
            raise OptionError(
                f"turris option 'webhooks_path': {webhooks_path!r} is taken, "
                f"as {other.method} {other.path} is there"
            )
    return (*_FIXED, *moved)


def _moved(one: Operation, webhooks_path: str) -> Operation:
    return replace(one, path=webhooks_path + one.path.removeprefix(webhooks.PATH))


def _shape(one: Operation) -> tuple[str, str]:
    return one.method, _PARAMETER.sub("{}", one.path)


@operation(
    "GET",
    DOCUMENT_PATH,
    summary="This description",
    tag="sandbox",
    access="public",
    operation_id="Sandbox_getOpenapi",
    operation_id_documented=False,
    enveloped=False,
    documented=False,
    provenance="assumed",
    status_provenance="assumed",
)
def get_openapi(call: Call) -> dict[str, Any]:
    """Describe the operations; this one is the sandbox's own and not in its description."""
    request = call.request
    has_own = request.host and not is_turris(request.host)
    own = f"{request.scheme}://{request.host}" if has_own else ""
    return document(operations_at(call.options.webhooks_path), call.options, own)


OPERATIONS = operations_at(Options().webhooks_path)
"""The operations of a sandbox with the default options."""
