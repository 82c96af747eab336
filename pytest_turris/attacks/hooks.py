"""What an attack may do to a receiver besides sending to it."""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypedDict

from pytest_turris.core.errors import TurrisKitError

FailureMode = Literal["before", "after", "slow"]


class HookError(TurrisKitError, TypeError):
    """A hook that was passed to an attack gave something of the wrong type."""


class Hooks(TypedDict, total=False):
    """The hooks that a test can give; ``ReceiverHooks`` says what each is for."""

    with_keys: Callable[[Sequence[str]], object] | None
    failing_work: Callable[[FailureMode], AbstractContextManager[object]] | None
    state: Callable[[], object] | None
    api_status: Callable[[str], object] | None
    shown: Callable[[], str] | None
    log: Callable[[], str] | None
    restart: Callable[[], object] | None
    allowed_ip: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverHooks:
    """What an attack may do to a receiver besides sending to it; each hook is optional.

    Args:
        with_keys: Returns a receiver that is configured with these keys, the current key first;
            may raise, as an application does that refuses to start.
        failing_work: Returns a context manager. Inside it the receiver's work fails ``before``
            its effect or ``after`` it, or takes three seconds (``slow``).
        state: Returns the compliance status that the receiver has stored for the entity of the
            events.
        api_status: Makes the API return this compliance status for that entity.
        api_paths: Returns the paths that the receiver asked the API for, so far.
        shown: Returns what the pages show on which the receiver's users see its data, as text.
        log: Returns what the receiver has written to its log, so far.
        restart: Stops the receiver and starts it again, with the data that it has stored. Returns
            the new one, or None if it is reached as before.
        allowed_ip: An IPv4 address on the receiver's allowlist. In process, webhooks come from it.
        advance: Moves the receiver's clock forward.
        client_id: The public identifier of the API client.
        key_is_client_secret: Whether the signing key is the client secret of the API, too.
    """

    with_keys: Callable[[Sequence[str]], object] | None = None
    failing_work: Callable[[FailureMode], AbstractContextManager[object]] | None = None
    state: Callable[[], object] | None = None
    api_status: Callable[[str], object] | None = None
    api_paths: Callable[[], Sequence[str]] | None = None
    shown: Callable[[], str] | None = None
    log: Callable[[], str] | None = None
    restart: Callable[[], object] | None = None
    allowed_ip: str = ""
    advance: Callable[[dt.timedelta], object] | None = None
    client_id: str = ""
    key_is_client_secret: bool = False
