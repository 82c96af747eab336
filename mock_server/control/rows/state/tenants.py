"""Tenants: further, isolated sandboxes at the same address."""

import datetime as dt
import os
from typing import Any

from pydantic import Field

from mock_server.control.control import ControlCall, control
from mock_server.control.models import Duration, Listing, Name, Nothing, Parameters, Result
from mock_server.control.rows.state.options import model_of_options
from mock_server.control.tenant import Tenant
from mock_server.store.store import TenantRow
from pytest_turris.core.entity.seeds import SeedData
from pytest_turris.core.options import Options
from pytest_turris.core.resources.record import UnknownRecordError

_HOUR = dt.timedelta(hours=1)


class TenantShown(Result):
    """A tenant. Its controls are below ``controlPath``."""

    name: str
    client_id: str
    upstream_entity_id: str
    exchanges: int
    idle_seconds: float
    idle_limit_seconds: float | None
    control_path: str


class CreatedTenant(TenantShown):
    """A new tenant, with the environment variables of its client, which are shown only once."""

    environment: dict[str, str]


class CreateTenant(Parameters):
    """The properties of a new tenant."""

    name: Name | None = Field(None, description="Its name; made if not given.")
    data: SeedData | None = Field(None, description="The named data that it starts with.")
    options: model_of_options(changes_only=False) = Field(  # type: ignore[valid-type] # made from the options
        default_factory=model_of_options(changes_only=False), description="Options of its own."
    )
    idle_limit: Duration | None = Field(
        _HOUR,
        description="Delete it after this long without a request; null for never.",
        json_schema_extra={"default": _HOUR.total_seconds()},
    )


class TenantName(Parameters):
    """Which tenant."""

    name: Name = Field(description="The name of the tenant.")


@control("tenants", "list", "GET", "/tenants", scope="server", words=("tenants",))
def list_tenants(call: ControlCall, given: Nothing) -> Listing[TenantShown]:
    """List the sandboxes of the server; the first is the default one."""
    del given
    call.tenants.sweep()
    if call.tenants.is_shared:
        rows = call.tenants.rows().items()
        found = [TenantShown(**_facts_of_row(name, row)) for name, row in rows]
    else:
        found = [TenantShown(**_facts(tenant)) for tenant in call.tenants]
    return Listing(total=len(found), items=found)


@control(
    "tenants",
    "create",
    "POST",
    "/tenants",
    scope="server",
    status=201,
    issues=True,
    positional=("name",),
)
def create(call: ControlCall, given: CreateTenant) -> CreatedTenant:
    """Add an isolated sandbox with credentials of its own, at the same address."""
    name = given.name or f"tenant-{os.urandom(6).hex()}"
    given_options: Any = given.options
    values = {one: getattr(given_options, one) for one in given_options.model_fields_set}
    data = given.data
    fill = (lambda sandbox: sandbox.seed(data)) if data else None
    return created(call.tenants.create(name, Options.from_layers(values), given.idle_limit, fill))


@control("tenants", "show", "GET", "/tenants/{name}", scope="server")
def _show(call: ControlCall, given: TenantName) -> TenantShown:
    """Show one tenant."""
    row = call.tenants.rows().get(given.name) if call.tenants.is_shared else None
    if row is not None:
        return TenantShown(**_facts_of_row(given.name, row))
    tenant = call.tenants.get(given.name)
    if tenant is None:
        raise UnknownRecordError("no tenant of that name; list them with GET /tenants")
    return TenantShown(**_facts(tenant))


@control("tenants", "delete", "DELETE", "/tenants/{name}", scope="server", status=204)
def delete(call: ControlCall, given: TenantName) -> None:
    """Delete a tenant with everything in it; its credentials are unknown from then on."""
    call.tenants.delete(given.name)


ROWS = (list_tenants, create, _show, delete)


def _facts_of_row(name: str, row: TenantRow) -> dict[str, Any]:
    """What a shared store knows about a tenant: other servers have used it too."""
    limit = row.idle_limit
    return {
        "name": name,
        "client_id": row.facts["sandbox"]["client"],
        "upstream_entity_id": row.facts["entity"]["id"],
        "exchanges": row.facts["journal"]["seen"],
        "idle_seconds": round(row.idle, 1),
        "idle_limit_seconds": limit.total_seconds() if limit else None,
        "control_path": f"/__sandbox__/tenants/{name}",
    }


def created(tenant: Tenant) -> CreatedTenant:
    """A new tenant, with what its client needs."""
    return CreatedTenant(**_facts(tenant), environment=tenant.environment)


def _facts(tenant: Tenant) -> dict[str, Any]:
    limit = tenant.idle_limit
    return {
        "name": tenant.name,
        "client_id": tenant.sandbox.client.client_id,
        "upstream_entity_id": tenant.sandbox.upstream_entity_id,
        "exchanges": tenant.sandbox.journal.seen,
        "idle_seconds": round(tenant.idle.total_seconds(), 1),
        "idle_limit_seconds": limit.total_seconds() if limit else None,
        "control_path": f"/__sandbox__/tenants/{tenant.name}",
    }
