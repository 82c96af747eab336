"""The secrets of a run, in all their spellings: to be found in a text, or taken out of it."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from pytest_turris.audit.leaks.literals import Literals
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.spellings import SHORTEST_SPELT, spellings


class SecretForms:
    """All spellings of the secrets of a run, each with what it is: a client secret, a token.

    Args:
        secrets: Pairs of a secret and its name for humans.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        for secret, name in secrets:
            for form in spellings(secret):
                self._names.setdefault(form, name)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _literals(self) -> Literals:
        return Literals(self._names)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {form: rank for rank, form in enumerate(self._names)}

    def find(self, text: str) -> str:
        """What kind of secret is in a text; empty if there is none."""
        found = self._literals.found_in(text)
        return self._names[min(found, key=self._ranks.__getitem__)] if found else ""

    def scrub(self, text: str) -> str:
        """The text with each spelling of each secret taken out."""
        for form in sorted(self._literals.found_in(text), key=len, reverse=True):
            text = text.replace(form, "***")
        return text


def scrubbed(forms: SecretForms, found: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    """JSON data with each spelling of each secret taken out of its texts."""
    if isinstance(found, str):
        return forms.scrub(found)
    if isinstance(found, dict):
        return {name: scrubbed(forms, part) for name, part in found.items()}
    if isinstance(found, list):
        return [scrubbed(forms, part) for part in found]
    return found


def secrets_of(sandbox: Sandbox) -> list[tuple[str, str]]:
    """The secrets of a sandbox, each with its name for humans."""
    found: list[tuple[str, str]] = [
        ("a client secret", client.client_secret) for client in sandbox.credentials
    ]
    found += [
        ("a client secret", client.previous_secret)
        for client in sandbox.credentials
        if client.previous_secret
    ]
    found += [("a restricted access token", one.token) for one in sandbox.credentials.restricted]
    found.append(("a webhook secret", sandbox.webhook_secret))
    for token in sandbox.tokens:
        text = str(token.text)
        # A token that was cut is one as long as its signature is whole.
        found += [("an access token", text), ("an access token", text.rpartition(".")[2])]
    return [(str(secret), name) for name, secret in found if len(secret) >= SHORTEST_SPELT]
