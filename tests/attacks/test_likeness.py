"""Answers are compared by what they say, without what differs in each."""

import datetime as dt
import uuid
from typing import Any

import pytest
from doubles.attack_harness import attack_in_process
from doubles.receivers.good_receiver import ReceiverApp
from hypothesis import given
from hypothesis import strategies as st

from pytest_turris.attacks.judging.likeness import alike, meaning
from pytest_turris.receivers.exchange import WebhookResponse

ERROR = '{{"timestamp": "{time}", "status": 401, "requestId": "{id}", "error": "no", "in": {ms}}}'


def answer(text: str, status: int = 401) -> WebhookResponse:
    """An answer with a text."""
    return WebhookResponse(status_code=status, headers={}, body=text.encode())


@given(
    times=st.tuples(st.datetimes(), st.datetimes()),
    ids=st.tuples(st.uuids(), st.uuids()),
    numbers=st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)),
)
def test_ids_times_and_numbers_say_nothing(
    times: tuple[dt.datetime, dt.datetime],
    ids: tuple[uuid.UUID, uuid.UUID],
    numbers: tuple[int, int],
) -> None:
    """Two refusals with different ids, times and numbers mean the same."""
    one, other = (
        meaning(answer(ERROR.format(time=times[i].isoformat(), id=ids[i], ms=numbers[i])))
        for i in range(2)
    )
    assert one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sat, 28 Nov 2026 07:14:41 GMT", "Sun, 29 Nov 2026 08:00:00 GMT"),
        ("trace=kqzxv; refused", "trace=bbmwp; refused"),
        ('{"traceId": "kqzxv"}', '{"traceId": "bbmwp"}'),
        ("  refused\n", "refused"),
    ],
)
def test_dates_ids_and_spaces_say_nothing(one: str, other: str) -> None:
    """A date in words and a member that is named after an id are left out."""
    assert meaning(answer(one)) == meaning(answer(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no signature", "wrong signature"),
        ('{"error": "missing"}', '{"error": "invalid"}'),
        ("invalid: missing", "invalid: wrong"),
    ],
)
def test_words_are_what_is_said(one: str, other: str) -> None:
    """Texts that differ in words differ."""
    assert meaning(answer(one)) != meaning(answer(other))
    assert not alike(answer(one), answer(other), lambda: answer(other))


def test_statuses_always_count() -> None:
    """The same text with another status says something else."""
    assert not alike(answer("no", 400), answer("no"), lambda: answer("no"))


def test_receiver_that_never_repeats_itself_is_known_by_its_status() -> None:
    """If the same request gets two texts, a third text says nothing."""
    assert alike(answer("apple"), answer("pear"), lambda: answer("plum"))
    assert alike(answer("apple"), answer("pear"), lambda: None)


class NamesEachRequest(ReceiverApp):
    """Puts an id and the time into each answer, as Spring Boot and API gateways do."""

    def receive(self, lines: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
        status, _ = super().receive(lines, body)
        now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a receiver has its own clock
        return status, ERROR.format(time=now, id=uuid.uuid4(), ms=now.microsecond).encode()  # noqa: TID251 - and its own ids


@pytest.mark.parametrize("id_", ["WH-02", "WH-03", "WH-09", "WH-10", "WH-50"])
def test_receiver_that_names_each_request_is_not_accused(id_: str) -> None:
    """An id in a refusal is not a hint at what was wrong."""
    verdict: Any = attack_in_process(id_, NamesEachRequest)
    assert verdict.outcome == "passed", verdict
