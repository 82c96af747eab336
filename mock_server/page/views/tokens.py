"""The tokens: the age of each, late uses, and the content of one."""

import base64
import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from mock_server.control.wire.errors import ControlError
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.wire.messages import Response

_SHOWN = 40
"""How many tokens the timeline has; the newest."""

_WIDTH, _ROW, _LEFT, _RIGHT = 1000, 26, 120, 16
_TICKS = (1, 5, 10, 15, 30, 60, 120, 360, 720, 1_440, 10_080)
"""Minutes between two marks of the axis."""

_MOST_MARKS = 9
_APART = 2
"""Units of the drawing between two uses that are shown apart."""


def tokens(visit: Visit) -> Response:
    """The timeline and the list."""
    return visit.page("tokens.html", "Tokens", chosen=None, **_listed(visit))


def token(visit: Visit, jti: str) -> Response:
    """One token: its header and claims, and its uses."""
    chosen = _inspected(visit, jti)
    if visit.fragment == "inspector":
        return visit.part("token.html", chosen=chosen)
    return visit.page("tokens.html", "Token", chosen=chosen, **_listed(visit))


ROUTES = (Route("GET", "tokens", tokens), Route("GET", "tokens/{jti}", token))


def _listed(visit: Visit) -> dict[str, Any]:
    sandbox = visit.tenant.sandbox
    count = len(list(sandbox.tokens))
    found = visit.ask("tokens list", limit=_SHOWN, offset=max(0, count - _SHOWN))["items"][::-1]
    uses: dict[str, list[dt.datetime]] = {one["tokenId"]: [] for one in found}
    for exchange in sandbox.journal:
        if exchange.token_id in uses:
            uses[exchange.token_id].append(exchange.at)
    now = sandbox.clock.now()
    return {
        "items": [one | {"late": _late(one, uses[one["tokenId"]])} for one in found],
        "total": count,
        "timeline": token_timeline(found, uses, now) if found else None,
    }


def _late(one: dict[str, Any], uses: list[dt.datetime]) -> int:
    return sum(at > _moment(one["refreshAt"]) for at in uses)


def token_timeline(
    items: list[dict[str, Any]], uses: dict[str, list[dt.datetime]], now: dt.datetime
) -> dict[str, Any]:
    """The places of everything in the drawing, in its own units."""
    start = min(_moment(one["issuedAt"]) for one in items)
    moments = [_moment(one["expiresAt"]) for one in items] + [now]
    end = max([*moments, *(at for all_of_one in uses.values() for at in all_of_one)])
    seconds = max((end - start).total_seconds(), 60.0)

    def at(moment: dt.datetime) -> float:
        share = (moment - start).total_seconds() / seconds
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    rows = []
    for place, one in enumerate(items):
        refresh, expiry = _moment(one["refreshAt"]), _moment(one["expiresAt"])
        rows.append(
            one
            | {
                "y": 34 + place * _ROW,
                "from": at(_moment(one["issuedAt"])),
                "due": at(refresh),
                "to": at(expiry),
                "marks": _apart(
                    _mark(at(moment), moment, refresh, expiry) for moment in uses[one["tokenId"]]
                ),
            }
        )
    return {
        "width": _WIDTH,
        "height": 34 + len(items) * _ROW + 4,
        "left": _LEFT,
        "rows": rows,
        "ticks": [(at(moment), f"{moment:%H:%M}") for moment in _ticks(start, end)],
        "now": at(now),
    }


def _mark(x: float, at: dt.datetime, refresh: dt.datetime, expiry: dt.datetime) -> dict[str, Any]:
    kind = "dead" if at >= expiry else "due" if at > refresh else "good"
    return {"x": x, "kind": kind, "at": f"{at:%H:%M:%S}"}


def _apart(marks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the marks that people can see apart on the screen: thousands of uses are a line."""
    places = {(round(mark["x"] / _APART), mark["kind"]): mark for mark in marks}
    return list(places.values())


def _ticks(start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    minutes = (end - start).total_seconds() / 60
    fits = [one for one in _TICKS if minutes / one <= _MOST_MARKS]
    step = dt.timedelta(minutes=fits[0] if fits else minutes / _MOST_MARKS)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * (((start - midnight) // step) + 1)
    return [moment for n in range(_MOST_MARKS + 1) if (moment := first + step * n) <= end]


def _inspected(visit: Visit, jti: str) -> dict[str, Any]:
    sandbox = visit.tenant.sandbox
    found = next((one for one in sandbox.tokens if one.jti == jti), None)
    if found is None:
        raise ControlError(404, "There is no such token any more.")
    listed = visit.ask("tokens list", clientId=found.client_id, limit=10_000)["items"]
    shown: dict[str, Any] = next(one for one in listed if one["tokenId"] == jti)
    uses = [
        {"number": one.number, "target": one.target, "method": one.method, "status": one.status}
        | _mark(0, one.at, _moment(shown["refreshAt"]), found.expires_at)
        for one in sandbox.journal
        if one.token_id == jti
    ]
    return shown | _parts(found) | {"exchanges": uses[::-1][:100]}


def _parts(found: AccessToken) -> dict[str, Any]:
    header, claims, _ = found.text.split(".")
    return {"header": _decoded(header), "claims": _decoded(claims)}


def _decoded(part: str) -> str:
    padded = part + "=" * (-len(part) % 4)
    return json.dumps(json.loads(base64.urlsafe_b64decode(padded)), indent=2)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
