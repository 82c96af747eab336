"""The lab of one case: the sandbox, the clock, the client under test, and what it is let do."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from pytest_turris.conformance.driver import Call, Flow, Make
from pytest_turris.conformance.errors import BrokenError, CaseError, UnobservedError
from pytest_turris.conformance.leaks import Traces, watch
from pytest_turris.conformance.outcome import Outcome, texts_of
from pytest_turris.conformance.recorded_request import Sighting
from pytest_turris.conformance.recorder import Lookout
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.process.environment import environment
from pytest_turris.time_travel.travel import TimeTravel

TICK = dt.timedelta(milliseconds=1)
_WELL = dt.timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The client under test, as far as the test gives it."""

    call: Call
    new_client: Callable[[], object] | None = None
    write: Call | None = None
    record: Call | None = None
    operation: Callable[[], object] | None = None
    concurrency: int = 50


class Lab(Lookout):
    """What a probe may use. All times are of the sandbox's clock."""

    def __init__(self, sandbox: Sandbox, time: TimeTravel, subject: Subject) -> None:
        super().__init__(sandbox)
        self.time = time
        self.subject = subject

    def require(self, condition: object, words: str) -> None:
        """The client must have done so.

        Raises:
            BrokenError: It did not.
        """
        if not condition:
            raise BrokenError(words)

    def unobserved(self, words: str) -> NoReturn:
        """Nothing is to be seen here."""
        raise UnobservedError(words)

    def succeeded(self, outcomes: list[Outcome], when: str) -> None:
        """All calls must have given a result.

        Raises:
            BrokenError: One failed.
        """
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        if failed:
            raise BrokenError(f"{len(failed)} of {len(outcomes)} calls failed {when}: {failed[0]}")

    def calls(self, times: int = 1, *, at_once: bool = False) -> Flow[list[Outcome]]:
        """Let the client make its call."""
        return (yield Make((self.subject.call,) * times, at_once))

    def together(self) -> Flow[list[Outcome]]:
        """Let the client make its call from many threads or tasks at once."""
        return (yield from self.calls(self.subject.concurrency, at_once=True))

    def warm(self) -> Flow[None]:
        """Let the client get its first token.

        Raises:
            CaseError: The call fails although nothing was provoked.
        """
        (outcome,) = yield from self.calls()
        if outcome.error is not None:
            raise CaseError(
                f"the call fails although nothing was provoked: {outcome}"
            ) from outcome.error
        if not self.sightings:
            raise CaseError("the call sent no request to the sandbox: is its base URL Turris'?")

    def writes(self, times: int = 1) -> Flow[list[Outcome]]:
        """Let the client make its write.

        Raises:
            UnobservedError: The test gave none.
        """
        if self.subject.write is None:
            raise UnobservedError("give a POST of the client: run(call, write=...)")
        return (yield Make((self.subject.write,) * times))

    def records(self) -> Flow[list[Outcome]]:
        """Let the client get its one record.

        Raises:
            UnobservedError: The test gave no such call.
        """
        if self.subject.record is None:
            raise UnobservedError("give a GET of one record by its id: run(call, record=...)")
        return (yield Make((self.subject.record,)))

    def fresh(self) -> Flow[Outcome]:
        """Make a client anew from the environment as it is now, and let it make its call.

        Raises:
            UnobservedError: The test gave no way to make one.
        """
        if self.subject.new_client is None:
            raise UnobservedError("give a way to make a client anew: run(call, new_client=...)")
        (made,) = yield Make((self.subject.new_client,))
        if made.error is not None:
            return made
        if not callable(made.value):
            raise CaseError("new_client gives a callable that makes one API call")
        (outcome,) = yield Make((made.value,))
        return outcome

    def begun(self) -> Flow[Call]:
        """Begin one operation of the client; the call that performs it.

        Raises:
            UnobservedError: The test gave no way to begin one.
        """
        if self.subject.operation is None:
            raise UnobservedError("give a way to begin one POST: run(call, operation=...)")
        (made,) = yield Make((self.subject.operation,))
        if made.error is not None or not callable(made.value):
            raise CaseError(f"operation gives a callable that makes one POST, not {made}")
        return made.value

    def age(self, age: dt.timedelta) -> None:
        """Go to where the newest token is so old."""
        token = self.sandbox.tokens.newest
        if token is None:
            raise CaseError("the client asked for no token, so none can grow old")
        self.time.move_to(token.issued_at + age)

    def outlive(self) -> None:
        """Go well beyond the newest token's expiry: any client but one that never looks asks anew.

        The moment of the expiry itself is what TC-05 and TC-06 are about.
        """
        self.time.to_expiry(plus=_WELL)

    def heeds_buffer(self) -> Flow[bool]:
        """Whether the client replaces a token that is due and holds still, as TC-05 asks."""
        self.time.to_refresh_point(plus=TICK)
        mark = len(self.sightings)
        yield from self.calls()
        return any(sighting.is_token_request for sighting in self.since(mark))

    def arrived(self, mark: int, base_url: str) -> list[Sighting]:
        """What a client made anew sent to a place that is not the API.

        Raises:
            UnobservedError: It went to the API as before, so it was not made from the environment.
        """
        seen = self.since(mark)
        if any(not sighting.foreign for sighting in seen):
            name = self.sandbox.options.env_base_url
            self.unobserved(
                f"{name} was {base_url}, and new_client made a client that called the sandbox: it "
                "has to read the environment"
            )
        return seen

    @contextlib.contextmanager
    def fault(self, operation: str, **effect: object) -> Iterator[None]:
        """A scripted fault that need not fire; taken back at the end."""
        fault = self.sandbox.faults.add(operation, optional=True, **effect)  # type: ignore[arg-type] # as add
        try:
            yield
        finally:
            self.sandbox.faults.remove(fault)

    @contextlib.contextmanager
    def environment(self, **variables: str | None) -> Iterator[None]:
        """Environment variables, by their TURRIS_ name without prefix; None takes one away."""
        options = self.sandbox.options
        names = {
            "base_url": options.env_base_url,
            "client_id": options.env_client_id,
            "client_secret": options.env_client_secret,
        }
        with environment({names.get(key, key): value for key, value in variables.items()}):
            yield

    @contextlib.contextmanager
    def directory(self) -> Iterator[Path]:
        """A directory for files that a client reads."""
        with TemporaryDirectory(prefix="turris-") as name:
            yield Path(name)

    @contextlib.contextmanager
    def traces(self) -> Iterator[Traces]:
        """Look at logs, output and files while the context is open."""
        with watch() as traces:
            yield traces

    def shown(self, outcomes: list[Outcome]) -> str:
        """In words, where an exception or the client's repr shows a secret; or empty."""
        needles = self.needles()
        for outcome in outcomes:
            text = texts_of(outcome.error)
            if any(needle in text for needle in needles):
                return f"the text of {type(outcome.error).__name__} or of what caused it"
        for holder in _holders(self.subject.call):
            text = repr(holder)
            if any(needle in text for needle in needles):
                return f"the repr of {type(holder).__name__}"
        return ""


def _holders(call: Call) -> list[object]:
    """The objects that a call holds on to: the client, most likely."""
    holders = [getattr(call, "__self__", None)]
    for cell in getattr(call, "__closure__", None) or ():
        with contextlib.suppress(ValueError):
            holders.append(cell.cell_contents)
    return [
        held for held in holders if held is not None and not isinstance(held, Sandbox | TimeTravel)
    ]
