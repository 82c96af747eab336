"""The engine loses and repeats nothing, whatever receivers do, at 20,000 deliveries too.

`make soak` sends more. Each line takes several times as long while its coverage is measured: then
there are fewer.
"""

import datetime as dt
import random  # noqa: TID251 - answers of a receiver, from a seed
import tracemalloc
from dataclasses import dataclass, field
from typing import Any

import coverage
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

AGREEMENT = "PRODUCER_AGREEMENT_EXECUTED"
WAIT = 60.0
# A wait begins when an attempt is made, a moment before it arrives.
SOONEST = dt.timedelta(seconds=WAIT - 1)
REMEMBERED = 1_000


@dataclass(frozen=True, kw_only=True)
class Moods:
    """How often a receiver refuses, raises or answers too late, and the number of retries."""

    seed: int
    refuses: float
    raises: float
    dawdles: float
    retries: int


MOODS = st.builds(
    Moods,
    seed=st.integers(0, 2**32),
    refuses=st.floats(0, 0.6),
    raises=st.floats(0, 0.2),
    dawdles=st.floats(0, 0.1),
    retries=st.integers(0, 4),
)
BAD_MOODS = st.builds(
    Moods,
    seed=st.integers(0, 2**32),
    refuses=st.floats(0.2, 0.5),
    raises=st.floats(0.05, 0.2),
    dawdles=st.floats(0.001, 0.01),
    retries=st.integers(1, 2),
)


@dataclass
class Witness:
    """A receiver with moods that counts each delivery, by its number in the body."""

    sandbox: Sandbox
    moods: Moods
    tries: dict[int, int] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, dt.datetime] = field(default_factory=dict)
    wrongs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.moods.seed)  # noqa: S311 - a test's own draws

    def __call__(self, body: bytes, headers: Any) -> bool:
        """Answer in some mood."""
        number, now = int(body[body.rindex(b":") + 1 : -1]), self.sandbox.clock.now()
        self._note(number, now, hash((body, headers["X-Turris-Signature"])))
        mood = self._random.random()
        if mood < self.moods.dawdles:
            self.sandbox.clock.advance(seconds=31)
            return True
        mood -= self.moods.dawdles
        if mood < self.moods.raises:
            raise RuntimeError("the database is away")
        if mood < self.moods.raises + self.moods.refuses:
            return False
        self.taken.add(number)
        return True

    def _note(self, number: int, now: dt.datetime, sent: int) -> None:
        # What is raised here would be an answer 500.
        if number in self.taken:
            self.wrongs.append(f"{number} was sent again after it was accepted")
        if self.first.setdefault(number, sent) != sent:
            self.wrongs.append(f"{number} was sent with other bytes than at first")
        if number in self.last and now - self.last[number] < SOONEST:
            self.wrongs.append(f"{number} was tried again after {now - self.last[number]}")
        self.last[number] = now
        self.tries[number] = self.tries.get(number, 0) + 1


def drained(moods: Moods, count: int) -> None:
    """Queue this many deliveries to a receiver with moods, drain, and compare the counts."""
    sandbox = Sandbox(name="scale")
    webhooks, witness = TurrisWebhooks.of(sandbox), Witness(sandbox, moods)
    webhooks.retry_after(*[WAIT] * moods.retries)
    endpoint, now = webhooks.register(witness, event=AGREEMENT), sandbox.clock.now()
    for number in range(count):
        sandbox.outbox.enqueue(endpoint, {"webhookType": AGREEMENT, "n": number}, now)
    done = webhooks.drain()

    assert witness.wrongs == []
    assert witness.tries.keys() == set(range(count)), "lost"
    assert done.delivered == len(witness.taken)
    assert done.failed == count - len(witness.taken)
    assert done.attempts == sum(witness.tries.values())
    given_up = witness.tries.keys() - witness.taken
    assert {witness.tries[number] for number in given_up} <= {moods.retries + 1}
    assert max(witness.tries.values()) <= moods.retries + 1
    assert (len(sandbox.outbox), sandbox.outbox.next_due()) == (0, None)
    assert len(sandbox.outbox.attempts) == min(REMEMBERED, done.attempts)
    assert len(list(sandbox.outbox)) == min(REMEMBERED, count)


@settings(max_examples=30, deadline=None)
@given(MOODS)
def test_nothing_is_lost_or_sent_twice(moods: Moods) -> None:
    """Whatever a receiver answers, each delivery is settled once, after all its attempts."""
    drained(moods, 300)


@settings(
    max_examples=1,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(BAD_MOODS)
def test_many_deliveries_drain(moods: Moods) -> None:
    """The same for 20,000 deliveries, many of which are retried."""
    drained(moods, 5_000 if coverage.Coverage.current() else 20_000)


def peak_of_drain(retries: int) -> int:
    """Peak memory while more deliveries fail than are remembered, each after this many retries."""
    sandbox = Sandbox(name="memory")
    webhooks = TurrisWebhooks.of(sandbox)
    webhooks.retry_after(*[WAIT] * retries)
    endpoint = webhooks.register(lambda body, headers: False, event=AGREEMENT)
    count = REMEMBERED + 100
    for number in range(count):
        event = {"webhookType": AGREEMENT, "n": number}
        sandbox.outbox.enqueue(endpoint, event, sandbox.clock.now())
    tracemalloc.start()
    try:
        assert webhooks.drain().attempts == count * (retries + 1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_attempts() -> None:
    """More attempts take no more memory."""
    peak_of_drain(0)  # what is imported and cached on the way is not the drain's
    # Threads of other tests may need some meanwhile, so the smallest of three counts.
    few, many = (min(peak_of_drain(retries) for _ in range(3)) for retries in (1, 4))
    assert many < 1.1 * few
