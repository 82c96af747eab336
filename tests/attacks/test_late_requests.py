"""Receivers that follow a URL long after their answer."""

import urllib.request
from typing import Any

import pytest
from doubles.attack_harness import context_for
from doubles.attacked_project import run
from doubles.receivers.good_receiver import KEY, Backend, ReceiverApp, StatusInbox
from doubles.receivers.registry import as_app

from pytest_turris.attacks.catalogue import find_attack
from pytest_turris.attacks.receiver import Receiver
from pytest_turris.attacks.series.series import AttackSeries

LATER = """
import json, pytest, urllib.request
from receiver import verify

kept = []

def keep(body, headers):
    fine = verify(body, headers)
    if fine:
        kept.append(json.loads(body))
    return fine

@pytest.mark.turris(attack_profile="full")
def test_receiver(turris_webhook_attack):
    turris_webhook_attack.run(keep)

def test_job():
    for event in kept:
        if "pdfUrl" in event:
            urllib.request.urlopen(event["pdfUrl"]).close()
"""


def test_session_fails_for_a_job_that_follows_a_url(pytester: pytest.Pytester) -> None:
    """The last test of the session fails, with the attack's id and where the URL stood."""
    result = run(pytester, LATER, args=("-k", "WH-140 or test_job", "-rs"))
    result.assert_outcomes(passed=1, skipped=1, errors=1)
    result.stdout.fnmatch_lines(["*WH-140: the receiver connected to a URL * (pdfUrl), after *"])


def test_session_passes_if_nobody_does(pytester: pytest.Pytester) -> None:
    """A receiver that keeps the URL, and follows it nowhere, is not accused."""
    result = run(pytester, LATER, args=("-k", "WH-140"))
    result.assert_outcomes(skipped=1)


class FollowsLater(StatusInbox):
    """Follows the URL of an event when three others have come."""

    def parse(self, body: bytes) -> dict[str, Any]:
        event = super().parse(body)
        self.urls = [*getattr(self, "urls", ()), event.get("pdfUrl")]
        if len(self.urls) > 3 and self.urls[-4] and not any(self.urls[-3:]):
            urllib.request.urlopen(self.urls[-4]).close()
        return event


def test_series_fails_the_attack_that_sent_the_url() -> None:
    """A series fires such attacks first, and amends their verdicts at its end."""
    backend = Backend()
    app_class = as_app(FollowsLater)
    receiver = Receiver(app_class([KEY], backend), "/webhooks", effects=backend.effects)
    attacks = [find_attack(id_) for id_ in ("WH-02", "WH-71", "WH-140")]
    fired = []
    series = AttackSeries(
        receiver,
        context_for(backend, ReceiverApp),
        on_progress=lambda _done, _total, verdict: fired.append(verdict.check.id),
    )
    result = series.run(attacks)
    assert fired == ["WH-02", "WH-140", "WH-71"]
    assert [verdict.check.id for verdict in result.verdicts] == ["WH-02", "WH-71", "WH-140"]
    assert [verdict.outcome for verdict in result.verdicts] == ["passed", "passed", "failed"]
