"""The state at the moment of a request, from the journal: its token, and its rate window."""

import datetime as dt
from typing import Any

from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.middleware.allowance import WINDOW
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.text.redaction import mask

_TOO_MANY = 429
_BEFORE_THE_LIMIT = frozenset({401, 403, 413})
"""Statuses of writes that were refused before they counted."""

_WRITES = frozenset(one.name for one in OPERATIONS if one.limited)


def token_then(sandbox: Sandbox, number: int) -> dict[str, Any] | None:
    """Return how old the token of an exchange was; None without a token that is still known."""
    exchange = _exchange(sandbox, number)
    # A token request has the token that it was given; the journal shows its end.
    token = next((one for one in sandbox.tokens if _is_of(one, exchange)), None)
    if token is None:
        return None
    refresh_at = token.expires_at - sandbox.options.refresh_buffer
    state = "in time"
    if exchange.at >= token.expires_at:
        state = "expired"
    elif exchange.at > refresh_at:
        state = "late"
    return {
        "id": token.jti,
        "age": (exchange.at - token.issued_at).total_seconds(),
        "left": (token.expires_at - exchange.at).total_seconds(),
        "state": state,
        "revoked": token.revoked,
        "is_new": exchange.is_token_request,
    }


def rate_window_then(sandbox: Sandbox, number: int) -> dict[str, Any] | None:
    """Return how much of the window was used at an exchange, counted from the journal.

    None if it is in no window: only token requests and writes are.
    """
    exchange = _exchange(sandbox, number)
    bucket = _bucket(exchange)
    if bucket is None or exchange.credential is None:
        return None
    options = sandbox.options
    limit = options.token_requests_per_minute if bucket == "token" else options.writes_per_minute
    calls: list[dt.datetime] = []
    for one in sandbox.journal:
        if one.number > number:
            break
        if one.credential == exchange.credential and _bucket(one) == bucket:
            _count(calls, one, is_fixed=options.rate_window == "fixed")
    start = calls[0] if calls else exchange.at
    return {
        "bucket": bucket,
        "limit": limit,
        "used": len(calls),
        "resets_in": (start + WINDOW - exchange.at).total_seconds(),
    }


def _is_of(token: AccessToken, exchange: Exchange) -> bool:
    if exchange.is_token_request:
        return exchange.token == mask(token.text)
    return token.jti == exchange.token_id


def _count(calls: list[dt.datetime], one: Exchange, *, is_fixed: bool) -> None:
    if calls and one.at - calls[0] >= WINDOW and is_fixed:
        calls.clear()
    while calls and one.at - calls[0] >= WINDOW:
        calls.pop(0)
    if one.status != _TOO_MANY:
        calls.append(one.at)


def _bucket(exchange: Exchange) -> str | None:
    if exchange.is_token_request:
        return "token"
    counts = exchange.operation in _WRITES and exchange.status not in _BEFORE_THE_LIMIT
    return "write" if counts else None


def _exchange(sandbox: Sandbox, number: int) -> Exchange:
    return next(one for one in sandbox.journal if one.number == number)
