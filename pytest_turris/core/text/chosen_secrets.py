"""Secrets that a user chose, such as a signing key or the control token of a server.

The sandbox's own begin with a mark by which redaction knows them. These have none, so texts are
searched for their values.
"""

import threading

_SHORTEST, _LONG = 8, 16
"""A shorter one, or a word such as ``webhooks``, is part of other texts by chance."""

_VARIED = 4
"""Different characters. With fewer it is a filler such as ``xxxxxxxx``, and so are other texts."""

_MOST = 100


class ChosenSecrets:
    """The newest hundred that this process was given; all threads share them."""

    def __init__(self) -> None:
        self.forms: tuple[str, ...] = ()
        """Each of them, and its spellings, the longest first."""
        self.changes: int = 0
        """How often ``forms`` was replaced: what was made of it before is out of date."""
        self._forms_of: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        """Mask a secret from now on: 16 characters or more, or 8 with a digit among them.

        At least four of them differ.
        """
        shortest = _SHORTEST if any(map(str.isdigit, secret)) else _LONG
        if len(secret) < shortest or len(set(secret)) < _VARIED:
            return
        with self._lock:
            known = self._forms_of.pop(secret, None)
            self._forms_of[secret] = known or _forms(secret)  # it is the newest now
            if known is None:
                if len(self._forms_of) > _MOST:
                    del self._forms_of[next(iter(self._forms_of))]
                every = {form for forms in self._forms_of.values() for form in forms}
                self.forms = tuple(sorted(every, key=len, reverse=True))
                self.changes += 1

    def end_of(self, text: str) -> int:
        """How many characters at the end of a text, which was cut there, begin one of them."""
        for secret in self._forms_of.copy():
            for length in range(len(secret) - 1, 3, -1):
                if text.endswith(secret[:length]):
                    return length
        return 0


def _forms(secret: str) -> tuple[str, ...]:
    from pytest_turris.core.text.spellings import spellings  # noqa: PLC0415 - most users choose none

    return (secret, *spellings(secret))


CHOSEN = ChosenSecrets()
"""Those of this process."""
