"""Assertions as words: ``turris.assert_token_requests(1)``. Each failure tells the story.

Times are counted from the first exchange that the journal still has.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from pytest_turris.core.access.tokens import AccessToken, Tokens
from pytest_turris.core.api.routes import TOKEN_REQUEST
from pytest_turris.core.durations import moment, span
from pytest_turris.core.journal.journal import NO_ANSWER, Exchange, Journal
from pytest_turris.core.middleware.idempotency import HEADERS
from pytest_turris.core.options import Options

_SERVER_ERROR = 500
_SHOWN = 12


class Assertions:
    """The words of a sandbox about what its client did."""

    options: Options
    journal: Journal
    tokens: Tokens
    token_requests: int

    def assert_token_requests(self, expected: int) -> None:
        """The client asked for a token exactly so often, refused requests included.

        Raises:
            AssertionError: It did not; the message lists the requests with their times.
        """
        if self.token_requests == expected:
            return
        requests = [e for e in self.journal if (e.method, e.path) == TOKEN_REQUEST]
        raise AssertionError(
            f"expected {_times(expected, 'token request')}, the sandbox saw "
            f"{self.token_requests}:\n{self._story(requests)}"
        )

    def assert_no_token_in_urls(self) -> None:
        """No request carried a token in its path or query (guides/security).

        Raises:
            AssertionError: One did; the message shows the targets, masked.
        """
        found = [e for e in self.journal if e.token_in_url]
        if found:
            raise AssertionError(
                f"{_times(len(found), 'request')} of {len(self.journal)} carried a token in the "
                f"URL, where proxies and logs keep it:\n{self._story(found)}\n"
                "Send it as 'Authorization: Bearer <token>'"
            )

    def assert_refreshed_within_buffer(self) -> None:
        """Each token was replaced inside its refresh buffer: not before, not after its end.

        Raises:
            AssertionError: A token was used beyond its refresh point or replaced before it; or
                no token came that far, so that nothing was shown.
        """
        buffer = self.options.refresh_buffer
        late = [
            (exchange, token)
            for exchange, token in self._uses()
            if exchange.at > token.expires_at - buffer
        ]
        if late:
            exchange, token = late[0]
            raise AssertionError(
                f"a token was still used {span(exchange.at - token.issued_at)} after its issue; "
                f"from {span(token.expires_at - buffer - token.issued_at)} on it is to be "
                f"replaced:\n{self._story([e for e, _ in late])}"
            )
        pairs = list(pairwise(self.tokens))
        early = [new for old, new in pairs if new.issued_at <= old.expires_at - buffer]
        if early:
            raise AssertionError(
                f"{_times(len(early), 'token')} of {len(pairs) + 1} came before the refresh "
                f"buffer of the one before:\n{self._lives()}"
            )
        if not pairs:
            raise AssertionError(
                "no token was ever replaced, so nothing is shown about the buffer: go to "
                "turris_time.to_refresh_point(plus=timedelta(milliseconds=1)) and call again"
            )

    def assert_no_expired_token_used(self) -> None:
        """No request carried a token at or after its expiry.

        Raises:
            AssertionError: One did; the message says how old the token was.
        """
        expired = [(e, token) for e, token in self._uses() if e.at >= token.expires_at]
        if expired:
            exchange, token = expired[0]
            raise AssertionError(
                f"{_times(len(expired), 'request')} carried an expired token; the first one "
                f"{span(exchange.at - token.expires_at)} after its end, "
                f"{span(exchange.at - token.issued_at)} after its issue:\n"
                f"{self._story([e for e, _ in expired])}"
            )

    def assert_retried_safely(self) -> None:
        """A write whose outcome was unknown was repeated with its idempotency key, or not at all.

        Raises:
            AssertionError: It was repeated without a key, or with another one (RFC 9110, 9.2.2).
        """
        writes = [e for e in self.journal if e.method == "POST" and e.operation]
        writes = [e for e in writes if (e.method, e.path) != TOKEN_REQUEST]
        for first, again in pairwise(writes):
            unknown = first.status == NO_ANSWER or first.status >= _SERVER_ERROR
            same = (first.target, first.request_body) == (again.target, again.request_body)
            if unknown and same and (not _key(first) or _key(first) != _key(again)):
                how = "another idempotency key" if _key(first) else "no idempotency key"
                raise AssertionError(
                    f"a write of unknown outcome was repeated "
                    f"{span(again.at - first.at)} later with {how}, so it may now have "
                    f"happened twice:\n{self._story([first, again])}"
                )

    def _uses(self) -> Iterator[tuple[Exchange, AccessToken]]:
        lives = {token.jti: token for token in self.tokens}
        for exchange in self.journal:
            if exchange.token_id in lives and (exchange.method, exchange.path) != TOKEN_REQUEST:
                yield exchange, lives[exchange.token_id]

    def _story(self, exchanges: Iterable[Exchange]) -> str:
        shown = list(exchanges)
        start = self.journal[0].at if len(self.journal) else None
        lines = [f"  +{moment(e.at - (start or e.at))}  {e}" for e in shown[:_SHOWN]]
        if len(shown) > _SHOWN:
            lines.append(f"  ... and {len(shown) - _SHOWN} more")
        return "\n".join(lines) or "  none that the journal still has"

    def _lives(self) -> str:
        tokens = list(self.tokens)
        start = tokens[0].issued_at
        return "\n".join(
            f"  token {number} issued at +{moment(token.issued_at - start)}, "
            f"due at +{moment(token.expires_at - self.options.refresh_buffer - start)}"
            for number, token in enumerate(tokens, 1)
        )


def _key(exchange: Exchange) -> str:
    return next(
        (exchange.request_headers[name] for name in HEADERS if name in exchange.request_headers),
        "",
    )


def _times(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
