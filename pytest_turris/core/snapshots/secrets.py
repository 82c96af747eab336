"""Removes the secrets from a snapshot, and adds new ones to a snapshot without secrets."""

import copy
from typing import Any

from pytest_turris.core.options import Options
from pytest_turris.core.randomness import Randomness
from pytest_turris.core.text.redaction import mask, redact, redact_headers

_NO_SECRET = {
    "client_secret": "",
    "previous_secret": None,
    "previous_until": None,
    "overlap_seconds": 0.0,
}
_UNSIGNED = {"body": "", "headers": []}


def without_secrets(snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return a copy without credentials, tokens, signatures and the seed of them.

    The ids of API clients stay, as the journal names them. Deliveries are signed again, with
    another key, when they are next sent.
    """
    state = copy.deepcopy(snapshot)
    state["randomness"]["seed"] = ""  # secrets are made from it
    state["tokens"] = []
    clients, outbox = state["credentials"]["clients"], state["outbox"]
    state["credentials"]["clients"] = [client | _NO_SECRET for client in clients]
    names = {row["token"]: mask(row["token"]) for row in state["credentials"]["restricted"]}
    for row in state["credentials"]["restricted"]:
        row["token"] = names[row["token"]]
    for endpoint in outbox["endpoints"]:
        endpoint["secret"] = ""
    for delivery in (*outbox["waiting"], *outbox["settled"]):
        delivery |= _UNSIGNED  # noqa: PLW2901 - changed in place
    for row in state["idempotency"]:
        row[-1] = redact(row[-1])
    for fault in state["faults"]:
        fault["headers"] = redact_headers(tuple(fault["headers"].items()))
    return state


def reissued(
    snapshot: dict[str, Any], randomness: dict[str, Any], options: Options
) -> dict[str, Any]:
    """Return a copy of a scrubbed snapshot with new credentials in the place of the old ones.

    Rate windows and idempotency keys go over to the new credentials; the journal keeps the names
    of the old ones.

    Args:
        snapshot: The snapshot.
        randomness: Where the new credentials come from, as in a snapshot.
        options: Their ``webhook_secret``, if given, is the secret of all webhooks.
    """
    state = copy.deepcopy(snapshot)
    source = Randomness(randomness["seed"])
    source.drawn = _highest(randomness["drawn"], state["randomness"]["drawn"])
    names: dict[str, str] = {}
    for client in state["credentials"]["clients"]:
        old, client["client_id"] = client["client_id"], source.client_id()
        client["client_secret"] = str(source.secret("secret"))
        names[old] = client["client_id"]
    for row in state["credentials"]["restricted"]:
        old, row["token"] = row["token"], str(source.secret("token"))
        names[old] = mask(row["token"])
    for endpoint in state["outbox"]["endpoints"]:
        made = options.webhook_secret or options.signing_key(source.secret("webhook"))
        endpoint["secret"] = str(made)
    state["client"] = names.get(state["client"], state["client"])
    for window in state["limits"]:
        window[1] = names.get(window[1], window[1])
    for row in state["idempotency"]:
        row[0][0] = names.get(row[0][0], row[0][0])
    return state | {"randomness": source.snapshot()}


def _highest(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Return counters beyond both: new ids differ from all ids of either."""
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in {**other, **one}}
