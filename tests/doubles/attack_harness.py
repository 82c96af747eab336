"""Runs one attack on a receiver double, with every hook that an attack can ask for."""

from collections.abc import Sequence
from typing import Any

from doubles.receivers.bare_server import BareServer
from doubles.receivers.good_receiver import ALLOWED, ENTITY, KEY, Backend, ReceiverApp
from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.context import ALL_EVENTS, AttackContext
from pytest_turris.attacks.hooks import ReceiverHooks
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.runner import run_attack
from pytest_turris.core.options import Options
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.verdict import Verdict
from pytest_turris.webhooks.factory import WebhookFactory
from pytest_turris.webhooks.signature import SignatureScheme

PLAIN = SignatureScheme()


def context_for(
    backend: Backend,
    app_class: type[ReceiverApp],
    *,
    key: str = KEY,
    scheme: SignatureScheme = PLAIN,
    **hooks: Any,
) -> AttackContext:
    """A context with every hook, for a receiver of this class."""
    sandbox = Sandbox(Options(webhook_secret=key), name="attacks")
    factory = WebhookFactory(
        scheme=scheme,
        key=key,
        upstream_entity_id=ENTITY,
        new_id=sandbox.new_object_id,
        now=sandbox.clock.now,
    )

    def with_keys(keys: Sequence[str]) -> ReceiverApp:
        return app_class(keys, backend)

    given: dict[str, Any] = {
        "with_keys": with_keys,
        "failing_work": backend.failing_work,
        "state": backend.state,
        "api_status": backend.api_status,
        "api_paths": lambda: tuple(backend.paths),
        "shown": lambda: "\n".join(backend.shown),
        "log": lambda: "\n".join(backend.log),
        "restart": lambda: app_class([key], backend),
        "allowed_ip": ALLOWED,
        "advance": lambda _: None,
        "client_id": sandbox.client.client_id,
        "key_is_client_secret": True,
    }
    return AttackContext(
        factory=factory,
        events=hooks.pop("events", ALL_EVENTS),
        hooks=ReceiverHooks(**given | hooks),
    )


def attack_in_process(
    id_: str, app_class: type[ReceiverApp], *, observed: bool = True, key: str = KEY, **options: Any
) -> Verdict:
    """Run one attack on an application; ``options`` are the context's."""
    backend = Backend()
    effects = backend.effects if observed else None
    receiver = Receiver(app_class([key], backend), "/webhooks", effects=effects)
    return run_attack(
        find_attack(id_), receiver, context_for(backend, app_class, key=key, **options)
    )


def attack_over_socket(id_: str, server: BareServer) -> Verdict:
    """Run one attack on a server."""
    receiver = Receiver(server.url, effects=server.backend.effects, timeout=4)
    return run_attack(find_attack(id_), receiver, context_for(server.backend, ReceiverApp))
