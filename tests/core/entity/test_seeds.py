"""Named seed data."""

from typing import get_args

import pytest
from doubles.sandbox_client import Client

from pytest_turris.core.entity.seeds import FIFTY_STATES, SeedData
from pytest_turris.core.sandbox import Sandbox


@pytest.mark.parametrize("name", get_args(SeedData))
def test_seed_data_is_always_the_same(name: SeedData) -> None:
    """For the same seed option; it emits no events and survives a snapshot."""
    one, two = Sandbox(), Sandbox()
    one.seed(name)
    two.seed(name)
    assert one.snapshot()["entity"] == two.snapshot()["entity"]
    assert len(one.events) == 0
    three = Sandbox()
    three.restore(one.snapshot())
    assert three.snapshot() == one.snapshot()


def test_the_national_network_is_large(caller: Client) -> None:
    """2,000 agents in 50 states, each found by NPN and by license."""
    caller.sandbox.seed("national_network")
    agents = list(caller.sandbox.agents)
    assert (len(agents), len(FIFTY_STATES)) == (2_000, 50)
    license_ = caller.sandbox.licenses.one_where(npn=agents[7].npn)
    assert license_ is not None
    place = f"licenseNumber={license_.license_number}&stateCode={license_.state_code}"
    for query in (f"npn={agents[7].npn}", place):
        (found,) = caller.get(f"/v1/agents?{query}").json()["data"]
        assert found["agent"]["npn"] == agents[7].npn


def test_messy_seed_data_has_every_difficulty(caller: Client) -> None:
    """Deleted, archived, expired, mostly null, hidden; every list still answers."""
    caller.sandbox.seed("messy")
    agents = caller.get("/v1/agents").json()["data"]
    assert any(entry["isDeleted"] for entry in agents)
    assert any(entry["isArchived"] for entry in agents)
    product = next(iter(caller.sandbox.products))
    names = set()
    for entry in agents:
        query = f"stateCode=CA&productId={product.id}"
        path = f"/v1/agents/{entry['agent']['_id']}/license-compliance-statuses?{query}"
        (state,) = caller.get(path).json()["data"]["states"]
        names.add(state["licenseStatus"]["statusName"])
    assert names == {"Expired License", "Missing LOA", "Missing License", "Licensed"}
    for path in ("policies", "contacts", "downstream-entity-associations"):
        assert caller.get(f"/v1/{path}").status == 200


def test_unknown_seed_data_is_refused() -> None:
    """The error lists the known names."""
    with pytest.raises(ValueError, match="small_agency, national_network, messy"):
        Sandbox().seed("big")  # type: ignore[arg-type] # the point
