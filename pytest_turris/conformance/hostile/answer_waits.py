"""How long a client waits for one slow answer, in process."""

import datetime as dt
from collections.abc import Sequence

from pytest_turris.conformance.call_result import CallResult
from pytest_turris.conformance.errors import ViolationError
from pytest_turris.conformance.harness import ClientHarness
from pytest_turris.conformance.observation.recorded_request import RecordedRequest

LONGEST_WAIT = dt.timedelta(minutes=2)
"""The longest timeout of one read that no check objects to: libraries have up to 80 seconds."""

_ROUNDING = 0.1
"""Seconds that a deadline of exactly the limit may seem longer: a loop's time is a float."""


def require_bounded_waits(
    harness: ClientHarness,
    slow: Sequence[RecordedRequest],
    result: CallResult,
    where: str = "",
    for_what: str = "one answer",
) -> None:
    """Require that the client gave up each slow answer in time, whatever it did after that.

    Pauses and further tries are another matter: each answer is judged by itself.

    Args:
        harness: The client's.
        slow: The requests whose answer took ten minutes on the sandbox's clock.
        result: Of their call.
        where: The beginning of the text, such as ``AR-33/api: ``.
        for_what: What it waited for, in words.

    Raises:
        ViolationError: It waited longer.
        NotApplicableError: Only a deadline of its event loop can have been in time.
    """
    limit = LONGEST_WAIT.total_seconds()
    given_up = [seen.earliest_deadline for seen in slow if seen.request.is_given_up]
    if (deadline := max(given_up, default=0.0)) > limit + _ROUNDING:
        raise ViolationError(
            f"{where}the client waited {deadline:g} s for {for_what}: its deadline is longer than "
            f"{limit:g} s"
        )
    timeouts = [seen.request.patience for seen in slow if not seen.request.is_given_up]
    longest = next((each for each in timeouts if each is None or each > limit), 0.0)
    if longest == 0.0 or (longest is None and result.timed_out):
        return  # without a timeout of the library, its author has set a deadline around it
    if harness.is_async and result.error is not None:
        # The clock has moved at once by the whole wait, so such a deadline comes too late.
        harness.not_applicable(
            f"{where}the HTTP library waits for {for_what} longer than {limit:g} s; whether a "
            "deadline of the event loop ends that, only turris_server can show (AR-33)"
        )
    waited = "ten minutes" if longest is None else f"{longest:g} s"
    how = "it has no timeout" if longest is None else f"its timeout is longer than {limit:g} s"
    raise ViolationError(f"{where}the client waited {waited} for {for_what}: {how}")
