"""Options that change while a sandbox runs."""

from collections.abc import Mapping
from typing import Any

from pytest_turris.core.options import option_types
from pytest_turris.core.sandbox import Sandbox

_AT_START = "the sandbox was made with it"
_OF_PYTEST = "only a test run in Python reads it"
_OF_SIGNATURES = "receivers know how webhooks are signed; another tenant can sign otherwise"

FIXED: dict[str, str] = {
    "environment": "the credentials belong to it",
    "seed": _AT_START,
    "upstream_entity_id": _AT_START,
    "webhooks_path": _AT_START,
    "tls": "the server listens already",
    "journal_limit": _AT_START,
    "webhook_secret": _OF_SIGNATURES,
    "webhook_user_agent": _OF_SIGNATURES,
    "attack_profile": _OF_PYTEST,
    "fail_on_not_observed": _OF_PYTEST,
    "fail_on_should": _OF_PYTEST,
    "share_ssl_context": _OF_PYTEST,
}
"""The options that do not change, each with the reason."""

_PREFIXES = {"signature_": _OF_SIGNATURES, "env_": "the server has printed it", "time_": _OF_PYTEST}


def reason_fixed(name: str) -> str:
    """Why an option does not change; empty if it does."""
    by_prefix = (reason for prefix, reason in _PREFIXES.items() if name.startswith(prefix))
    return FIXED.get(name) or next(by_prefix, "")


def changeable() -> dict[str, Any]:
    """The options that change, with their types."""
    return {name: kind for name, kind in option_types().items() if not reason_fixed(name)}


def change(sandbox: Sandbox, values: Mapping[str, Any]) -> None:
    """Change options that are ``changeable``, all or none.

    Raises:
        OptionError: A value does not fit.
    """
    sandbox.change_options(sandbox.options.replaced(values))
