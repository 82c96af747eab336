"""The commands of ``turris-sandbox``, each with the module that is imported when it is run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandRow:
    """One command."""

    name: str
    home: str
    """``module:attribute`` of its ``click.Command``."""

    summary: str
    """What ``turris-sandbox --help`` says about it, without importing the module."""


COMMANDS: tuple[CommandRow, ...] = (
    CommandRow(
        "serve",
        "mock_server.serving.command:serve",
        "Serve a sandbox until Ctrl-C, and send its webhooks.",
    ),
    CommandRow(
        "health", "mock_server.probing.command:health", "Ask a sandbox whether it is ready."
    ),
    CommandRow(
        "trigger", "mock_server.triggering.command:trigger", "Send one signed webhook to a URL."
    ),
    CommandRow(
        "attack",
        "mock_server.attacking.command:attack",
        "Attack a webhook receiver, and print which of them succeed.",
    ),
    CommandRow(
        "audit",
        "mock_server.auditing.command:audit",
        "Report what the clients of a sandbox showed about Turris' security page.",
    ),
    CommandRow(
        "scan",
        "mock_server.auditing.scan_command:scan",
        "Scan built frontends and repositories for credentials.",
    ),
    CommandRow(
        "learn-signature",
        "mock_server.learning.command:learn_signature",
        "Find out from a real delivery how its sender signs.",
    ),
    CommandRow(
        "drift",
        "mock_server.drift.command:drift",
        "Ask a real tenant what the sandbox only assumes.",
    ),
    CommandRow(
        "openapi",
        "mock_server.shell.openapi:openapi",
        "Print the OpenAPI description, in version 3.1 or 3.0.",
    ),
    CommandRow(
        "fidelity",
        "mock_server.shell.fidelity:fidelity",
        "Print how closely the sandbox matches Turris.",
    ),
    CommandRow(
        "explain",
        "mock_server.explaining.command:explain",
        "Explain a check or an option, such as WH-05 or token_ttl.",
    ),
    CommandRow(
        "completion",
        "mock_server.shell.completion.command:completion",
        "Print the script that completes commands and options in a shell.",
    ),
)
