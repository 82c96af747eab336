"""Schemes drawn at random: the right one is learned, or several that include it, or none.

``python tests/webhooks/learning/test_drawn_schemes.py 1000`` draws a thousand.
"""

import datetime as dt
import sys
from random import Random  # noqa: TID251 - of tests, seeded

import pytest
from doubles.drawn_schemes import URL, DrawnScheme, Sent, foreign

from pytest_turris.core.options import Options, parse
from pytest_turris.webhooks.learning.expressed import Reading
from pytest_turris.webhooks.learning.learned import LearnedSignature, learn_signature
from pytest_turris.webhooks.learning.times import time_in
from pytest_turris.webhooks.schemes import scheme_of

DRAWN = 20


def learned_from(secret: str, first: Sent, *others: Sent) -> LearnedSignature:
    """What deliveries show."""
    pairs = [(one.headers, one.body) for one in others]
    return learn_signature(first.headers, first.body, secret=secret, url=URL, others=pairs)


def is_right(reading: Reading, scheme: DrawnScheme) -> bool:
    """Whether a reading is the scheme."""
    return scheme.described().items() <= reading.aspects.items()


def check_scheme(seed: int) -> None:
    """Learn a scheme of the known forms from one delivery, and from three."""
    random = Random(seed)
    scheme = DrawnScheme.draw(random)
    sent = [scheme.deliver(random) for _ in range(3)]
    for learned in (learned_from(scheme.secret, sent[0]), learned_from(scheme.secret, *sent)):
        assert any(is_right(one, scheme) for one in learned.readings), f"{scheme}\n{learned}"
        assert not learned.sure or is_right(learned.readings[0], scheme), f"{scheme}\n{learned}"
        assert scheme.secret not in str(learned) + repr(learned)
    if learned.sure and not learned.readings[0].obstacles:
        check_options(learned, scheme.secret, scheme.deliver(random))
    wrong = learned_from(scheme.secret[:-1] + "0", sent[0])
    assert not wrong.readings or scheme.secret[-1] == "0"


def check_options(learned: LearnedSignature, secret: str, sent: Sent) -> None:
    """With the options that were learned, another delivery of the sender is genuine."""
    options = Options(**learned.options, webhook_secret=secret)
    times = [time for _, value in sent.headers if (time := time_in(value)).isdigit()]
    now = dt.datetime.fromtimestamp(int(times[0][:10]), dt.UTC) if times else None
    scheme_of(options).verify(sent.body, sent.headers, secret, now=now)
    for name, value in learned.options.items():
        if isinstance(value, str) and value == value.strip():
            assert parse(name, value) == value


def check_foreign(seed: int) -> None:
    """A scheme outside the known forms fits nothing, and the report says what was tried."""
    sent, secret = foreign(Random(seed))
    learned = learned_from(secret, sent)
    assert learned.readings == ()
    assert "None fits" in str(learned)
    assert secret not in str(learned)


@pytest.mark.parametrize("seed", range(DRAWN))
def test_a_known_scheme_is_learned(seed: int) -> None:
    """From one delivery or three, it is the only one or among several; its options are right."""
    check_scheme(seed)


@pytest.mark.parametrize("seed", range(DRAWN))
def test_a_foreign_scheme_fits_nothing(seed: int) -> None:
    """Other digests, other texts, other encodings."""
    check_foreign(seed)


if __name__ == "__main__":
    for drawn in range(int(sys.argv[1])):
        check_scheme(drawn)
        check_foreign(drawn)
