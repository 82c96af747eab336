"""A receiver, a forge with every handle, and an attack."""

from collections.abc import Sequence
from typing import Any

from doubles.receivers.bare_server import BareServer
from doubles.receivers.handled import ALLOWED, ENTITY, KEY, Desk, Door
from pytest_turris.attacks.catalogue import find
from pytest_turris.attacks.context import ALL_EVENTS, Forge, Handles
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import judge
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

PLAIN = SignatureScheme()


def forge_for(
    desk: Desk,
    door: type[Door],
    *,
    key: str = KEY,
    scheme: SignatureScheme = PLAIN,
    **handles: Any,
) -> Forge:
    """A forge with every handle, for a receiver behind a door."""
    sandbox = Sandbox(Options(webhook_secret=key), name="attacks")
    factory = WebhookFactory(
        scheme=scheme,
        key=key,
        upstream_entity_id=ENTITY,
        new_id=sandbox.new_object_id,
        now=sandbox.clock.now,
    )

    def with_keys(keys: Sequence[str]) -> Door:
        return door(keys, desk)

    given: dict[str, Any] = {
        "with_keys": with_keys,
        "trouble": desk.trouble,
        "state": desk.state,
        "truth": desk.truth,
        "allowlisted": ALLOWED,
        "advance": lambda _: None,
        "client_id": sandbox.client.client_id,
        "key_is_client_secret": True,
    }
    return Forge(
        factory=factory,
        events=handles.pop("events", ALL_EVENTS),
        handles=Handles(**given | handles),
    )


def attacked(
    id_: str, door: type[Door], *, observed: bool = True, key: str = KEY, **options: Any
) -> Verdict:
    """Run one attack on a receiver behind a door."""
    desk = Desk()
    receiver = Receiver(door([key], desk), "/webhooks", effects=desk.effects if observed else None)
    return judge(find(id_), receiver, forge_for(desk, door, key=key, **options))


def attacked_over_socket(id_: str, server: BareServer) -> Verdict:
    """Run one attack on a server."""
    receiver = Receiver(server.url, effects=server.desk.effects)
    return judge(find(id_), receiver, forge_for(server.desk, Door))
