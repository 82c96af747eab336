"""The steps that a client yields, and its errors."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class ClientError(Exception):
    """The call failed."""

    status = 0
    transient = False


class SettingsError(ClientError):
    """The environment is not fit; the message never holds a value."""


class UnexpectedAnswerError(ClientError):
    """An answer that cannot be read."""


class LostError(ClientError):
    """No answer."""

    transient = True


class ApiError(ClientError):
    """An error that the API answered with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.transient = status == 429 or status >= 500


@dataclass(frozen=True)
class Send:
    """A step: send a request; the reply is an Answer or a LostError."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Pause:
    """A step: wait."""

    seconds: float


@dataclass(frozen=True)
class Alone:
    """A step: run another flow, under the client's lock."""

    flow: Any


@dataclass(frozen=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: Any = field(repr=False)
    body: bytes = field(repr=False)


@dataclass
class Token:
    """A token, aged by our own clock."""

    text: str = field(repr=False)
    at: datetime
    lifetime: timedelta


Flow = Generator[Any, Any, Any]
