# pyright: strict
"""A consumer's mistakes: each line is one that a type checker has to find."""

import datetime as dt

from pytest_turris import Options, Sandbox, SignedWebhook, TimeTravel


def test_mistakes(turris: Sandbox, turris_time: TimeTravel, webhook: SignedWebhook) -> None:
    """Misspelt names and wrong types."""
    turris.agnets.add(npn="12345678")
    count: str = turris.token_requests
    turris_time.move_to("tomorrow")
    webhook.send()
    Options(seed="7", token_ttl=dt.timedelta(minutes=5))
    print(count)  # noqa: T201 - uses them
