"""The checks of facts about files, look-ups, contacts and policies."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from doubles.api_recipes import PDF

from fidelity.files import ROW, SPREADSHEET, as_csv, as_xlsx
from fidelity.specification import Fact
from fidelity.world import World

UPLOAD = "POST /v1/policies/upload"
CONTACTS = "GET /v1/contacts"


def file(world: World, fact: Fact) -> None:
    """A file with this content has this status."""
    content, kind = {
        "csv": (as_csv([ROW]), ""),
        "xlsx": (as_xlsx([ROW]), SPREADSHEET),
        "pdf": (PDF, "application/pdf"),
    }.get(fact.says["content"], (fact.says["content"].encode(), ""))
    fields = world.form_of(fact.request)
    answer = world.send(fact.request, file=content, fields=fields, file_type=kind)
    assert answer.status == fact.says["status"], answer.body


def lookup(world: World, fact: Fact) -> None:
    """A look-up of so many NPNs has this status."""
    says = fact.says
    npns = [str(number) for number in range(says["npns"])] * says.get("times", 1)
    if says.get("busy"):
        world.sandbox.npns.occupy(dt.timedelta(minutes=1))
    answer = world.send("POST /v1/npn-lookup", body={"npns": npns})
    assert answer.status == says["status"], answer.body
    if "results" in says:
        assert len(answer.document["data"]) == says["results"]


def column(world: World, fact: Fact) -> None:
    """A file with the column is accepted, and one without it is refused; or the reverse."""
    says = fact.says
    row = {name: text for name, text in ROW.items() if name != says.get("instead_of")}
    if "unknown" in says:
        good, bad = row, row | {says["unknown"]: "x"}
    else:
        good = row | {says["required"]: row.get(says["required"], "11")}
        bad = {name: text for name, text in good.items() if name != says["required"]}
    assert world.send(UPLOAD, file=as_csv([good])).status == 201
    answer = world.send(UPLOAD, file=as_csv([bad]))
    assert answer.status == 400, answer.body


def cell(world: World, fact: Fact) -> None:
    """The value is accepted in the column."""
    done = _uploaded(world, [ROW | {fact.says["column"]: fact.says["value"]}])
    assert (done["status"], done["failed"]) == ("COMPLETED", 0), done


def upload(world: World, fact: Fact) -> None:
    """An upload comes to this status."""
    wanted = fact.says["status"]
    box, clock = world.sandbox, world.sandbox.clock
    rows = [ROW | {"riskStateCode": ""}] if wanted == "COMPLETED_WITH_FAILURES" else [ROW]
    if wanted == "NEEDS_CLARIFICATION":
        for _ in range(2):
            box.associations.add(downstream_entity_name="Acme")
    key = world.send(UPLOAD, file=as_csv(rows)).document["data"]["uploadId"]
    act: dict[str, Callable[[], Any]] = {
        "QUEUED": lambda: None,
        "PROCESSING": lambda: clock.advance(seconds=5),
        "FAILED": lambda: box.uploads.fail(key),
        "CANCELLED": lambda: box.uploads.cancel(key),
    }
    act.get(wanted, lambda: clock.advance(seconds=10))()
    assert _status(world, key)["status"] == wanted


def contact(world: World, fact: Fact) -> None:
    """What the pages say of contacts holds."""
    assert _CONTACTS[fact.says["what"]](world) == fact.says.get("holds", True)


def policy(world: World, fact: Fact) -> None:
    """What the pages say of policies holds."""
    assert _POLICIES[fact.says["what"]](world) == fact.says.get("holds", True)


def _listed(world: World, query: str = "") -> list[Any]:
    return list(world.send(CONTACTS, query=query).document["data"])


def _agency_wide(world: World) -> bool:
    (found,) = [one for one in _listed(world) if one["email"] == "wide@acme.example"]
    return "downstreamEntityAssociationId" not in found["associations"][0]


def _one_entry(world: World) -> bool:
    for visibility in ("market", "agency"):
        world.sandbox.contacts.add(
            downstream_entity_association_id=world.agency.id,
            email="both@acme.example",
            visibility=visibility,
        )
    (found,) = [one for one in _listed(world) if one["email"] == "both@acme.example"]
    return len(found["associations"]) == 1


def _hidden(world: World) -> bool:
    return "hidden@acme.example" not in {one["email"] for one in _listed(world)}


def _combined(world: World) -> bool:
    role = "businessRole=Finance%20Manager"
    here, there = world.agency.id, world.other_agency.id
    found = [
        _listed(world, f"downstreamEntityAssociationId={where}&{role}") for where in (here, there)
    ]
    return len(found[0]) == 1 and found[1] == []


_CONTACTS: dict[str, Callable[[World], bool]] = {
    "agency-wide contact has no association id": _agency_wide,
    "one entry per agency": _one_entry,
    "contacts of another carrier are not listed": _hidden,
    "filters can be combined": _combined,
}


def _uploaded(world: World, rows: list[dict[str, str]]) -> Any:  # noqa: ANN401 - any JSON value
    """The status of an upload once it is done."""
    key = world.send(UPLOAD, file=as_csv(rows)).document["data"]["uploadId"]
    world.sandbox.clock.advance(seconds=10)
    return _status(world, key)


def _status(world: World, key: str) -> Any:  # noqa: ANN401 - any JSON value
    answer = world.send("GET /v1/policies/uploads/{uploadId}", ids={"uploadId": key})
    return answer.document["data"]


def _not_listed(world: World) -> bool:
    world.sandbox.policies.add(policy_number="POL-DELETED", is_deleted=True)
    found = world.send("GET /v1/policies").document["data"]
    return "POL-DELETED" not in {one["policyNumber"] for one in found}


def _one_policy(world: World) -> bool:
    rows = [
        ROW | {"policyNumber": "POL-G", "policyTransactionType": kind}
        for kind in ("New", "Endorsement", "Audit")
    ]
    done = _uploaded(world, rows)
    answer = world.send("GET /v1/policies", query="policyNumber=POL-G")
    (found,) = answer.document["data"]
    return bool(done["created"] == 1 and found["transactionCount"] == 3)


def _updated(world: World) -> bool:
    row = ROW | {"policyNumber": "POL-U"}
    first, second = _uploaded(world, [row]), _uploaded(world, [row])
    return bool((first["created"], second["created"], second["updated"]) == (1, 0, 1))


def _zero_based(world: World) -> bool:
    done = _uploaded(world, [ROW, ROW | {"riskStateCode": ""}])
    (error,) = done["errors"]
    return bool(error["index"] == 1 and error["error"] == "Missing required field: riskStateCode")


def _by_time(world: World) -> bool:
    box, now, year = world.sandbox, world.sandbox.clock.now(), dt.timedelta(days=365)
    statuses = []
    for start in (now + year / 2, now - year / 2, now - 2 * year):
        policy = box.policies.add(effective_date=start, expiry_date=start + year)
        got = world.send("GET /v1/policies/{policyId}", ids={"policyId": policy.id})
        statuses.append(got.document["data"]["currentStatus"])
    return statuses == ["bound", "active", "expired"]


_POLICIES: dict[str, Callable[[World], bool]] = {
    "soft-deleted ones are not listed": _not_listed,
    "rows with one number make one policy": _one_policy,
    "a number that is known counts as updated": _updated,
    "errors have a zero-based index": _zero_based,
    "statuses by time": _by_time,
}

CHECKS = {
    "file": file,
    "lookup": lookup,
    "column": column,
    "cell": cell,
    "upload": upload,
    "contact": contact,
    "policy": policy,
}
"""The check of each kind of fact."""
