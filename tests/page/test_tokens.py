"""The timeline of the tokens, and what is in one."""

import datetime as dt

import pytest
from doubles.visitor import Visitor

from mock_server.page.views.tokens import token_timeline
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.wire.messages import Request


@pytest.fixture
def token(visitor: Visitor) -> AccessToken:
    """A token of a sandbox that is as it was at its start."""
    visitor.server.tenants.default.reset()
    return visitor.sandbox.tokens.issue(visitor.sandbox.client)


def use(visitor: Visitor, token: AccessToken, minutes: int) -> None:
    """Use a token so long after its issue."""
    visitor.sandbox.clock.move_to(token.issued_at + dt.timedelta(minutes=minutes))
    fields = (("authorization", f"Bearer {token.text}"),)
    visitor.sandbox.handle(Request(method="GET", path="/v1/agents", headers=fields))


def test_nothing_was_issued_yet(visitor: Visitor) -> None:
    """The page says so."""
    visitor.server.tenants.default.reset()
    assert "No token was issued yet" in visitor.get("tokens").text


def test_what_was_late_stands_out(visitor: Visitor, token: AccessToken) -> None:
    """A use in time, one after the refresh point, one after the end."""
    visitor.sandbox.handle(Request(method="GET", path="/v1/agents"))
    for minutes in (10, 56, 61):
        use(visitor, token, minutes)
    text = visitor.get("tokens").text
    for kind in ("good", "due", "dead"):
        assert text.count(f'class="used {kind}"') == 1
    assert "2 late" in text
    assert str(token.text) not in text


def test_thousands_of_uses_are_a_line(visitor: Visitor, token: AccessToken) -> None:
    """A drawing with a mark for each would be too large for a browser."""
    for seconds in range(300):
        moment = token.issued_at + dt.timedelta(seconds=seconds)
        visitor.sandbox.clock.move_to(moment)
        fields = (("authorization", f"Bearer {token.text}"),)
        visitor.sandbox.handle(Request(method="GET", path="/v1/agents", headers=fields))
    assert 10 < visitor.get("tokens").text.count('class="used good"') < 60


def test_inspector_shows_header_and_claims(visitor: Visitor, token: AccessToken) -> None:
    """Not the signature: what the page shows cannot be used."""
    use(visitor, token, 10)
    for text in (
        visitor.get(f"tokens/{token.jti}").text,
        visitor.get(f"tokens/{token.jti}", HX_Target="inspector").text,
    ):
        assert "RS256" in text
        assert token.jti in text
        assert "/v1/agents" in text
        assert token.text.rpartition(".")[2] not in text
    assert visitor.get("tokens/unknown").status == 404


def test_tokens_are_revoked_and_forged(visitor: Visitor, token: AccessToken) -> None:
    """By the controls; a forged one is shown once."""
    visitor.post("do/tokens/revoke", tokenId=token.jti)
    assert "revoked" in visitor.get("tokens").text
    assert "eyJ" in visitor.do("tokens forge", flaw="alg_none").text


@pytest.mark.parametrize("span", [dt.timedelta(0), dt.timedelta(hours=5), dt.timedelta(days=400)])
def test_everything_is_inside_the_drawing(span: dt.timedelta) -> None:
    """However long the time is between the first token and the last."""
    start = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    items = [
        {
            "tokenId": name,
            "issuedAt": at.isoformat(),
            "refreshAt": (at + dt.timedelta(minutes=55)).isoformat(),
            "expiresAt": (at + dt.timedelta(minutes=60)).isoformat(),
            "state": "valid",
        }
        for name, at in (("a", start), ("b", start + span))
    ]
    found = token_timeline(items, {"a": [start], "b": [start + span]}, start + span)
    marks = [mark["x"] for row in found["rows"] for mark in row["marks"]]
    places = [found["now"], *marks, *(x for x, _ in found["ticks"])]
    assert all(found["left"] <= x <= found["width"] for x in places)
    assert 1 <= len(found["ticks"]) <= 10
