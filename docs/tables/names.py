"""The names that a shell completes, and that the help of ``trigger`` lists."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from mock_server.shell.arguments import OF_TESTS, OF_WEBHOOKS
from pytest_turris.attacks.catalogue import ATTACKS
from pytest_turris.audit.checklist import CHECKLIST
from pytest_turris.audit.families import FAMILIES, family
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.core.entity.seeds import SeedData
from pytest_turris.core.faults.hostile.catalogue import CATALOGUE
from pytest_turris.core.options import choices, option_types
from pytest_turris.core.outbox.event_examples import template


def as_json() -> str:
    """Each kind with its names, one kind a line."""
    lines = (f"{json.dumps(kind)}: {json.dumps(names)}" for kind, names in _kinds().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _kinds() -> dict[str, Any]:
    checks = dict.fromkeys(id_ for prefix in FAMILIES for id_ in family(prefix))
    return {
        "events": {name: _members(template(event)) for name, event in EVENTS.items()},
        "options": {name: _values(name) for name in _read_by_a_sandbox()},
        "webhook_options": {
            name: _values(name) for name in option_types() if name.startswith(OF_WEBHOOKS)
        },
        "data": get_args(SeedData),
        "profiles": choices("attack_profile"),
        "schemes": choices("signature_scheme"),
        "attacks": [attack.id for attack in ATTACKS],
        "operations": [operation.name for operation in OPERATIONS],
        "hostile_answers": list(_hostile_answers()),
        "explained": [*checks, *CHECKLIST, *option_types()],
    }


def _read_by_a_sandbox() -> Iterator[str]:
    yield from (name for name in option_types() if not name.startswith(OF_TESTS))


def _members(event: dict[str, Any]) -> list[str]:
    payload = event["payload"]
    return list(payload[0] if isinstance(payload, list) else payload)


def _values(name: str) -> tuple[str, ...]:
    return ("true", "false") if option_types()[name] is bool else choices(name)


def _hostile_answers() -> Iterator[str]:
    """What can be scripted: an answer, and each of its variants."""
    for answer in CATALOGUE.values():
        if answer.variants[0].endpoint == "handshake":
            continue
        yield answer.id
        if len(answer.variants) > 1:
            yield from (f"{answer.id}/{variant.name}" for variant in answer.variants)
