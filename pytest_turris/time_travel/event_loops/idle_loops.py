"""Lets the tasks of applications in this process run while the test moves the clock.

Their loop stands between two requests. It runs in the test's own thread here too: what the
application opened may belong to that.
"""

import datetime as dt
import math

from pytest_turris.process.steady_clock import idle_loops
from pytest_turris.time_travel.event_loops.current_loop import let_tasks_run, time_to_next_timer
from pytest_turris.time_travel.scheduler import MAX_TURNS, Scheduler
from pytest_turris.time_travel.sleeps import as_duration, from_seconds, microseconds


def advance_loops(scheduler: Scheduler, delta: dt.timedelta) -> None:
    """Let time pass: stop at each due time, also of the idle loops, and let what is due run."""
    timers = _run_tasks()
    if not timers:
        scheduler.advance(delta)
        return
    end = scheduler.sync() + microseconds(delta)
    for _ in range(MAX_TURNS):
        due = scheduler.time_to_next()
        step = min(*timers, math.inf if due is None else microseconds(due))
        if scheduler.elapsed + step > end:
            break
        scheduler.advance(as_duration(step))
        timers = _run_tasks()
    scheduler.advance(as_duration(max(0, end - scheduler.elapsed)))
    _run_tasks()


def _run_tasks() -> list[float]:
    """Let the tasks of the idle loops run; return the microseconds until each one's next timer."""
    timers = [run(_run_tasks_here) for run in idle_loops]
    return [timer for timer in timers if timer is not None]


async def _run_tasks_here() -> float:
    await let_tasks_run()
    left = time_to_next_timer()
    # Rounded up, and never nothing: a timer less than a microsecond ahead does not run yet.
    return max(1.0, from_seconds(left + 0.4e-6)) if left > 0 else 1.0
