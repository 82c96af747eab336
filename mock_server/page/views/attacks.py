"""Attacks an endpoint: one attack after the other, each verdict as it comes.

The browser asks for the next attack when it has shown the last verdict. So a run ends when its page
is closed.
"""

from typing import Any
from urllib.parse import urlencode

from mock_server.control.wire.errors import ControlError
from mock_server.page.views.route import Route
from mock_server.page.visit import Visit, number_in
from pytest_turris.core.wire.messages import Response


def attack_page(visit: Visit, key: str) -> Response:
    """Choose a profile, or one attack of the catalogue."""
    return visit.page(
        "attack.html",
        "Attack",
        endpoint=_endpoint(visit, key),
        attacks=visit.ask("attacks list")["items"],
        quick=visit.ask("attacks list", profile="quick")["total"],
    )


def _begin(visit: Visit, key: str) -> Response:
    """The first step of a run, with its progress bar."""
    endpoint = _endpoint(visit, key)
    return visit.part(
        "attack_run.html", endpoint=endpoint, **_place(_ids(visit), 0), **_given(visit)
    )


def step(visit: Visit, key: str, at: str) -> Response:
    """One attack of a run, with the next step."""
    attacks, endpoint, number = _ids(visit), _endpoint(visit, key), number_in(at)
    if number >= len(attacks):
        raise ControlError(404, "There is no such attack.")
    attack, effects = attacks[number], _asked(visit, "effectsUrl").strip()
    try:
        verdict = visit.do(
            "webhooks attack", {"id": key, "attack": attack["id"], "effectsUrl": effects}
        )
    except ControlError as error:
        return visit.part("attack_ended.html", words=str(error))
    return visit.part(
        "attack_step.html",
        endpoint=endpoint,
        fired=attack,
        verdict=verdict,
        **_place(attacks, number + 1),
        **_given(visit),
    )


ROUTES = (
    Route("GET", "webhooks/{key}/attack", attack_page),
    Route("POST", "webhooks/{key}/attack", _begin),
    Route("POST", "webhooks/{key}/attack/{at}", step),
)


def _endpoint(visit: Visit, key: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {
        one["id"]: one for one in visit.ask("webhooks list")["items"]
    }
    if key not in found:
        raise ControlError(404, "There is no such webhook any more.")
    endpoint: dict[str, Any] = found[key]
    return endpoint


def _ids(visit: Visit) -> list[dict[str, Any]]:
    """The attacks of the form: those of a profile, or a single one."""
    wanted, profile = _asked(visit, "attack"), _asked(visit, "profile") or "quick"
    if wanted:
        found = visit.ask("attacks list")["items"]
        return [one for one in found if one["id"] == wanted]
    items: list[dict[str, Any]] = visit.ask("attacks list", profile=profile)["items"]
    return items


def _asked(visit: Visit, name: str) -> str:
    """What the form of a run says; its steps have it in their address."""
    return visit.form.get(name, visit.query.get(name, ""))


def _given(visit: Visit) -> dict[str, Any]:
    names = ("profile", "attack", "effectsUrl")
    return {"run": urlencode({name: _asked(visit, name) for name in names})}


def _place(attacks: list[dict[str, Any]], at: int) -> dict[str, Any]:
    return {"at": at, "total": len(attacks), "next": attacks[at] if at < len(attacks) else None}
