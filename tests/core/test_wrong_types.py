"""A value of another type is an error of the kit's own, which says what to pass."""

from collections.abc import Callable

import pytest

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.sandbox import Sandbox

MISTAKES: dict[str, tuple[Callable[[Sandbox], object], str]] = {
    "fault": (lambda s: s.faults.add(None, status=500), "no operation None"),  # type: ignore[arg-type] # as all here
    "hostile": (lambda s: s.faults.hostile(27), "no hostile answer '27'"),  # type: ignore[arg-type]
    "times": (lambda s: s.faults.hostile("AR-27", times="2"), "times='2' is not"),  # type: ignore[arg-type]
    "max_seconds": (
        lambda s: s.faults.hostile("AR-27", max_seconds="2"),  # type: ignore[arg-type]
        "max_seconds='2' is not a number",
    ),
    "remove": (lambda s: s.agents.remove(None), "no AgentEntry with id None"),  # type: ignore[arg-type]
    "update": (lambda s: s.agents.update(5, npn="1"), "no AgentEntry with id 5"),  # type: ignore[arg-type]
    "delete": (lambda s: s.agents.delete([]), r"no AgentEntry with id \[\]"),  # type: ignore[arg-type]
    "undelete": (lambda s: s.agents.undelete(None), "no AgentEntry with id None"),  # type: ignore[arg-type]
    "get": (lambda s: s.agents.get({}), "no AgentEntry with id {}"),  # type: ignore[arg-type]
    "where": (lambda s: s.agents.where(npn=5), "npn=5 is not a text"),  # type: ignore[arg-type]
    "cancel": (lambda s: s.uploads.cancel(None), "no Upload with id None"),  # type: ignore[arg-type]
    "agreement": (lambda s: s.execute_agreement(None), "no Association with id None"),  # type: ignore[arg-type]
    "event": (lambda s: s.events.of(None), "no kind of event None"),  # type: ignore[arg-type]
    "ttl": (lambda s: s.tokens.issue(s.client, ttl=5), "ttl=5 is not a timedelta"),  # type: ignore[arg-type]
    "forge": (lambda s: s.tokens.forge("expired", client="x"), "expected ApiClient, got str"),  # type: ignore[arg-type]
    "overlap": (
        lambda s: s.credentials.rotate(s.client, overlap=5),  # type: ignore[arg-type]
        "overlap=5 is not a timedelta",
    ),
    "client id": (lambda s: s.credentials.issue(client_id=5), "a client id of a sandbox is"),  # type: ignore[arg-type]
    "advance": (lambda s: s.clock.advance(minutes="5"), "is not a duration"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("mistake", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_value_of_another_type_is_refused(
    sandbox: Sandbox, mistake: Callable[[Sandbox], object], words: str
) -> None:
    """Nothing is changed."""
    before = sandbox.snapshot()
    with pytest.raises(TurrisKitError, match=words):
        mistake(sandbox)
    assert sandbox.snapshot() == before
