"""The root of the errors that this kit raises on purpose to the code that uses it."""


class TurrisKitError(Exception):
    """Base of every error that pytest-turris raises on purpose; see ``docs/reference/errors.md``.

    Each subclass keeps a standard base too, such as ``ValueError``, so that both
    ``except TurrisKitError`` and ``except ValueError`` work. Refusals of the fake Turris are
    HTTP responses, not exceptions.
    """


class TurrisKitWarning(TurrisKitError, UserWarning):  # noqa: N818 - a warning
    """Base of the warnings, for ``filterwarnings``; with ``-W error`` one is raised."""


class UnknownNameError(TurrisKitError, ValueError):
    """An unknown name: of an operation, an event, an attack, a permission, ..."""
