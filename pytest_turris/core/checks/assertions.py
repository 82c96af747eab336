"""What a test asserts about its client: ``turris.assert_token_requests(1)``.

``Sandbox`` has each function here as a method. A failure lists the requests that it is about, with
their times since the first exchange that the journal still has.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.journal.exchange import Exchange
from pytest_turris.core.journal.journal import NO_ANSWER, Journal
from pytest_turris.core.middleware.idempotency import IDEMPOTENCY_HEADERS
from pytest_turris.core.options import Options
from pytest_turris.core.text.durations import moment, span
from pytest_turris.core.text.plurals import counted

_SERVER_ERROR = 500
_SHOWN = 12


class Observer(Protocol):
    """The parts of a sandbox that the assertions read."""

    options: Options
    journal: Journal
    tokens: Tokens
    token_requests: int


def assert_token_requests(sandbox: Observer, expected: int) -> None:
    """The client sent exactly this many token requests, refused ones included.

    Raises:
        AssertionError: It did not; the message lists the requests with their times.
    """
    if sandbox.token_requests == expected:
        return
    requests = [e for e in sandbox.journal if e.is_token_request]
    raise AssertionError(
        f"expected {counted(expected, 'token request')}, the sandbox saw "
        f"{sandbox.token_requests}:\n{_listed(sandbox.journal, requests)}"
    )


def assert_no_token_in_urls(sandbox: Observer) -> None:
    """No request carried a token in its path or query (guides/security).

    Raises:
        AssertionError: One did; the message shows the targets, masked.
    """
    found = [e for e in sandbox.journal if e.token_in_url]
    if found:
        raise AssertionError(
            f"{counted(len(found), 'request')} of {len(sandbox.journal)} carried a token in the "
            f"URL, where proxies and logs keep it:\n{_listed(sandbox.journal, found)}\n"
            "Send it as 'Authorization: Bearer <token>'"
        )


def assert_refreshed_within_buffer(sandbox: Observer) -> None:
    """Each token was replaced inside its refresh buffer: neither before it nor after expiry.

    Raises:
        AssertionError: A token was used beyond its refresh point or replaced before it; or no token
            became that old, so nothing is shown.
    """
    buffer = sandbox.options.refresh_buffer
    late = [
        (exchange, token)
        for exchange, token in _uses(sandbox)
        if exchange.at > token.expires_at - buffer
    ]
    if late:
        exchange, token = late[0]
        raise AssertionError(
            f"a token was still used {span(exchange.at - token.issued_at)} after its issue; "
            f"replace it from {span(token.expires_at - buffer - token.issued_at)} on:\n"
            f"{_listed(sandbox.journal, (e for e, _ in late))}"
        )
    pairs = list(pairwise(sandbox.tokens))
    early = [new for old, new in pairs if new.issued_at <= old.expires_at - buffer]
    if early:
        raise AssertionError(
            f"{counted(len(early), 'token')} of {len(pairs) + 1} came before the refresh "
            f"buffer of the one before:\n{_lifetimes(sandbox)}"
        )
    if not pairs:
        raise AssertionError(
            "no token was ever replaced, so nothing is shown about the buffer: call "
            "turris_time.to_refresh_point(plus=timedelta(milliseconds=1)) and call again"
        )


def assert_no_expired_token_used(sandbox: Observer) -> None:
    """No request carried a token at or after its expiry.

    Raises:
        AssertionError: One did; the message says how old the token was.
    """
    expired = [(e, token) for e, token in _uses(sandbox) if e.at >= token.expires_at]
    if expired:
        exchange, token = expired[0]
        raise AssertionError(
            f"{counted(len(expired), 'request')} carried an expired token; the first one "
            f"{span(exchange.at - token.expires_at)} after its expiry, "
            f"{span(exchange.at - token.issued_at)} after its issue:\n"
            f"{_listed(sandbox.journal, (e for e, _ in expired))}"
        )


def assert_retried_safely(sandbox: Observer) -> None:
    """A write whose outcome was unknown was repeated with its idempotency key, or not at all.

    Raises:
        AssertionError: It was repeated without a key, or with another one (RFC 9110, 9.2.2).
    """
    writes = [e for e in sandbox.journal if e.method == "POST" and e.operation]
    writes = [e for e in writes if not e.is_token_request]
    for first, again in pairwise(writes):
        unknown = first.status == NO_ANSWER or first.status >= _SERVER_ERROR
        same = (first.target, first.request_body) == (again.target, again.request_body)
        if unknown and same and (not _key(first) or _key(first) != _key(again)):
            how = "another idempotency key" if _key(first) else "no idempotency key"
            raise AssertionError(
                f"a write of unknown outcome was repeated "
                f"{span(again.at - first.at)} later with {how}, so it may now have "
                f"happened twice:\n{_listed(sandbox.journal, (first, again))}"
            )


def _uses(sandbox: Observer) -> Iterator[tuple[Exchange, AccessToken]]:
    """Each exchange but token requests that carried a known token, with that token."""
    issued = {token.jti: token for token in sandbox.tokens}
    for exchange in sandbox.journal:
        if exchange.token_id in issued and not exchange.is_token_request:
            yield exchange, issued[exchange.token_id]


def _listed(journal: Journal, exchanges: Iterable[Exchange]) -> str:
    shown = list(exchanges)
    start = journal[0].at if len(journal) else None
    lines = [f"  +{moment(e.at - (start or e.at))}  {e}" for e in shown[:_SHOWN]]
    if len(shown) > _SHOWN:
        lines.append(f"  ... and {len(shown) - _SHOWN} more")
    return "\n".join(lines) or "  none that the journal still has"


def _lifetimes(sandbox: Observer) -> str:
    tokens = list(sandbox.tokens)
    start = tokens[0].issued_at
    return "\n".join(
        f"  token {number} issued at +{moment(token.issued_at - start)}, "
        f"due at +{moment(token.expires_at - sandbox.options.refresh_buffer - start)}"
        for number, token in enumerate(tokens, 1)
    )


def _key(exchange: Exchange) -> str:
    headers = exchange.request_headers
    return next((headers[name] for name in IDEMPOTENCY_HEADERS if name in headers), "")
