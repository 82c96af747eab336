"""What the sandboxes of a server must know about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a sandbox must know about its server.

    Args:
        base_url: Where the server answers.
        ca_file: The certificate authority, for TLS.
        allow: The ``host:port`` pairs on other machines that webhooks may be sent to.
        own_port: The server's port, to which no webhook is sent.
    """

    base_url: str = ""
    ca_file: str | None = None
    allow: tuple[str, ...] = ()
    own_port: int = 0
