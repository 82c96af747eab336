"""How tokens are used: cached, replaced in time, never after their expiry."""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from pytest_turris.audit.rules.rule import Look, RuleList
from pytest_turris.audit.seen import SeenRequest
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.text.durations import span
from pytest_turris.core.text.plurals import counted

TOKENS = RuleList()

_ONE_PER_CALL = 4
_CREATED = range(200, 300)
_SHOWN = 10
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


@TOKENS.rule(
    "RQ-05",
    "A token is requested only when none is at hand",
    does="Looks for token requests of a client whose last token is neither due nor refused.",
    why="Turris allows ten token requests a minute, which one for each call soon exceeds.",
    fix="Keep the token in the client, and ask for another when it is due.",
    source="vendor: cache tokens on your server; guides/rate-limiting",
)
def _cached(look: Look) -> None:
    issued = list(_issues(look))
    uses = _uses(look)
    look.ran += sum(len(seen) > 1 for seen in uses.values())
    for (asked, token), (again, _) in _repeated(issued):
        if not _is_at_hand(look, token, asked, again):
            continue
        if asked.client is not None and asked.client == again.client:
            look.spot(
                [asked, again],
                f"a token was requested {span(again.at - asked.at)} after the last one, which "
                "was valid",
                "the valid token is used",
                kind="valid token at hand",
            )
    if len(issued) >= _ONE_PER_CALL and all(len(uses[token.jti]) <= 1 for _, token in issued):
        first, last = issued[0], issued[-1]
        quick = last[0].at < first[1].expires_at - look.record.sandbox.options.refresh_buffer
        refused = any(seen.refused for seen in look.record.seen)
        if quick and not refused and not look.spotted:
            look.spot(
                [seen for seen, _ in issued[:_SHOWN]],
                f"{counted(len(issued), 'token')}, each for one call at most",
                "one token for all calls while it is valid",
                kind="a token for each call",
                level="should",
            )


@TOKENS.rule(
    "RQ-06",
    "A token is replaced inside its refresh buffer at the latest",
    does="Compares the age of each token, when it is sent, with its lifetime less the buffer.",
    why="A token that is nearly over expires on the way, and the call fails.",
    fix="Before a call, replace the token if its age exceeds the lifetime less five minutes.",
    source="vendor: token refresh strategy, elapsed > TTL - buffer",
)
def _buffer(look: Look) -> None:
    buffer = look.record.sandbox.options.refresh_buffer
    look.ran += _replaced_when_due(look)
    failed = False
    for seen in look.record.seen:
        if seen.is_token_request:
            failed = seen.status not in _CREATED
        token = seen.token
        if token is None or seen.is_token_request or not seen.knows_time:
            continue
        late = seen.at - (token.expires_at - buffer)
        if late.total_seconds() > 0 and seen.at < token.expires_at:
            look.ran += 1
            if not failed:  # else it makes do with the old one, which is right
                look.spot(
                    [seen],
                    f"the token was used {span(seen.at - token.issued_at)} after its issue",
                    f"it is replaced from {span(token.expires_at - buffer - token.issued_at)} on",
                )


@TOKENS.rule(
    "RQ-07",
    "An expired token is never sent",
    does="Compares the time of each request with the expiry of its token.",
    why="The call fails, and a client that does not count the time fails once an hour.",
    fix="Keep the time of the token request, and replace the token before it expires.",
    source="vendor: implement proper expiration handling",
)
def _expired(look: Look) -> None:
    look.ran += _replaced_when_due(look)
    for seen in look.record.calls:
        token = seen.token
        if token and seen.knows_time and seen.at >= token.expires_at:
            look.spot(
                [seen],
                f"the token was sent {span(seen.at - token.expires_at)} after its expiry",
                "a new token",
            )


def _issues(look: Look) -> Iterator[tuple[SeenRequest, AccessToken]]:
    """Each successful token request with the token that it got: a hostile answer may have none."""
    tokens = look.record.sandbox.tokens
    for seen in look.record.seen:
        if seen.is_token_request and seen.status in _CREATED:
            found = map(tokens.with_text, _JWT.findall(seen.answered.decode("ascii", "replace")))
            yield from ((seen, token) for token in found if token)


def _repeated(
    issued: list[tuple[SeenRequest, AccessToken]],
) -> Iterator[tuple[tuple[SeenRequest, AccessToken], tuple[SeenRequest, AccessToken]]]:
    by_credential = defaultdict(list)
    for pair in issued:
        by_credential[pair[1].client_id].append(pair)
    for pairs in by_credential.values():
        yield from pairwise(pairs)


def _is_at_hand(look: Look, token: AccessToken, asked: SeenRequest, again: SeenRequest) -> bool:
    """Whether a token could still be used, as far as the client knew."""
    # A careful client counts from its request: the answer may have taken long.
    lifetime = token.expires_at - token.issued_at
    due = asked.at + lifetime - look.record.sandbox.options.refresh_buffer
    if again.at >= due or token.revoked:
        return False
    between = look.record.seen[asked.number : again.number - 1]
    return not any(seen.refused or seen.is_unknown for seen in between)


def _uses(look: Look) -> defaultdict[str, list[SeenRequest]]:
    """The calls with each token."""
    found: defaultdict[str, list[SeenRequest]] = defaultdict(list)
    for seen in look.record.calls:
        if seen.token:
            found[seen.token.jti].append(seen)
    return found


def _replaced_when_due(look: Look) -> int:
    """How often a client, whose token was due, called with a new one."""
    buffer = look.record.sandbox.options.refresh_buffer
    count = 0
    last: dict[str, AccessToken] = {}
    before: AccessToken | None = None
    for seen in look.record.calls:
        token = seen.token
        if token is None or token is before or seen.refused:
            continue
        old = last.get(token.client_id)
        count += bool(
            old and old is not token and seen.knows_time and seen.at > old.expires_at - buffer
        )
        last[token.client_id] = before = token
    return count
