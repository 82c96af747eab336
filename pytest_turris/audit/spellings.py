"""The secrets of a run, in all their spellings: to be found in a text, or taken out of it."""

import math
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from pytest_turris.audit.leaks.literals import Literals
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.spellings import SHORTEST_SPELT, spellings

_LONG = 100
"""From this length on, a secret is looked for only in a text that is as long: a server has
thousands of tokens and signatures, and few texts are long enough for one."""


class _Forms:
    """All spellings of some secrets, each with what it is."""

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        self._names: dict[str, str] = {}
        for secret, name in secrets:
            for form in spellings(secret):
                self._names.setdefault(form, name)
        self._literals = Literals(self._names)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {form: rank for rank, form in enumerate(self._names)}

    def found_in(self, text: str) -> set[str]:
        """The spellings that are in a text."""
        return self._literals.found_in(text)

    def find(self, text: str) -> str:
        """What kind of secret is in a text: the first of those; empty if there is none."""
        found = self.found_in(text)
        return self._names[min(found, key=self._ranks.__getitem__)] if found else ""


class SecretForms:
    """All spellings of the secrets of a run, each with what it is: a client secret, a token.

    Args:
        secrets: Pairs of a secret and its name for humans.
    """

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        self._secrets = tuple(secrets)
        self._shortest_long = min(
            (len(secret) for secret, _ in self._secrets if len(secret) >= _LONG), default=math.inf
        )

    @cached_property
    def _short(self) -> _Forms:
        return _Forms(one for one in self._secrets if len(one[0]) < _LONG)

    @cached_property
    def _long(self) -> _Forms:
        return _Forms(one for one in self._secrets if len(one[0]) >= _LONG)

    def _for(self, text: str) -> list[_Forms]:
        """Those that can be in a text: no spelling of a long secret is shorter than that."""
        return [self._short] if len(text) < self._shortest_long else [self._short, self._long]

    def find(self, text: str) -> str:
        """What kind of secret is in a text; empty if there is none."""
        return next(filter(None, (forms.find(text) for forms in self._for(text))), "")

    def scrub(self, text: str) -> str:
        """The text with each spelling of each secret taken out."""
        found = {form for forms in self._for(text) for form in forms.found_in(text)}
        for form in sorted(found, key=len, reverse=True):
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
