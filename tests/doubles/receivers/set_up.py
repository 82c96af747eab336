"""How a receiver is set up: its key, its address, and the type of its webhook."""

import os
from collections.abc import Iterator
from typing import Any

import uvicorn

from .good_receiver import StatusInbox


def key_of_the_api() -> str:
    """The client secret, which opens the API too."""
    return os.environ["TURRIS_CLIENT_SECRET"]


def key_of_its_own() -> str:
    """The secret of the webhook, which opens nothing else."""
    return os.environ["TURRIS_WEBHOOK_SECRET"]


def serve_in_the_clear(app: Any) -> None:
    """Listen without TLS, on every address."""
    uvicorn.run(app, host="0.0.0.0", port=80)  # noqa: S104 - the broken example


def serve_with_tls(app: Any, certificate: str, key: str) -> None:
    """Listen with TLS alone; or on loopback, behind a proxy that does."""
    uvicorn.run(app, host="0.0.0.0", port=443, ssl_certfile=certificate, ssl_keyfile=key)  # noqa: S104 - for Turris


class OneTypeInbox(StatusInbox):
    """Acts on the one type of event that this endpoint's webhook is registered for."""

    webhook_type = "PRODUCER_AGREEMENT_EXECUTED"

    def entries(self, event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield nothing for an event of another webhook."""
        if event["webhookType"] == self.webhook_type:
            yield from super().entries(event)
