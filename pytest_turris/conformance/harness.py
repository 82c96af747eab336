"""The tools of a probe: the sandbox, the clock, and the client under test."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from pytest_turris.conformance.call_result import CallResult, reprs_of, texts_of
from pytest_turris.conformance.client_under_test import ClientUnderTest
from pytest_turris.conformance.driver import ClientCall, Move, Perform, ProbeSteps
from pytest_turris.conformance.errors import CaseError, ViolationError
from pytest_turris.conformance.late_calls import require_in_time
from pytest_turris.conformance.observation.leaks import Traces, holders_of, watch
from pytest_turris.conformance.observation.recorded_request import RecordedRequest
from pytest_turris.conformance.observation.recorder import RequestRecorder
from pytest_turris.core.access.tokens import AccessToken
from pytest_turris.core.levels import Level
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.findings.errors import NotApplicableError
from pytest_turris.process.environment import EnvironmentVariables
from pytest_turris.time_travel.travel import TimeTravel

TICK = dt.timedelta(milliseconds=1)
PAST = dt.timedelta(milliseconds=1_001)
"""After a moment, for a client that counts whole seconds too."""
_WELL_PAST = dt.timedelta(minutes=1)


class ClientHarness(RequestRecorder):
    """What a probe may use. All times are of the sandbox's clock."""

    def __init__(self, sandbox: Sandbox, time: TimeTravel, client: ClientUnderTest) -> None:
        super().__init__(sandbox)
        self.time = time
        self.client = client
        self.is_async: bool = False
        """Whether the calls are coroutines."""
        self.lesser: list[ViolationError] = []
        """Findings that are less serious than the rule, and do not end its probe."""
        self._last_step = 0

    def require(self, condition: object, got: str) -> None:
        """Require something of the client.

        Args:
            condition: What must be true.
            got: What the client did if it is not.

        Raises:
            ViolationError: It is not true.
        """
        if not condition:
            raise ViolationError(got)

    def recommend(self, condition: object, got: str, level: Level = "should") -> None:
        """Like ``require``, for what is less serious than the rule: the probe goes on."""
        if not condition and all(str(other) != got for other in self.lesser):
            self.lesser.append(ViolationError(got, level))

    def require_success(
        self, results: list[CallResult], when: str, *, ours_alone: bool = False
    ) -> None:
        """Require a result of all calls of the last step.

        Args:
            results: Of the calls.
            when: What was provoked, for the text.
            ours_alone: No other rule is about the reasons for which they can fail.

        Raises:
            ViolationError: A call failed.
            NotApplicableError: A call failed for a reason that another rule is about.
        """
        failed = [result for result in results if result.error is not None]
        if not failed:
            return
        require_in_time(results, self.requests[self._last_step :])
        got = f"{len(failed)} of {len(results)} calls failed {when}: {failed[0]}"
        if not ours_alone and (why := self.blame(self._last_step)):
            raise NotApplicableError(f"{got}; {why}")
        raise ViolationError(got)

    def not_applicable(self, reason: str) -> NoReturn:
        """Give up: there is nothing to observe."""
        raise NotApplicableError(reason)

    def calls(self, times: int = 1, *, at_once: bool = False) -> ProbeSteps[list[CallResult]]:
        """Let the client make its call."""
        self._last_step = len(self.requests)
        return (yield Perform((self.client.call,) * times, at_once))

    def calls_at_once(self) -> ProbeSteps[list[CallResult]]:
        """Let the client make its call from many threads or tasks at once."""
        return (yield from self.calls(self.client.concurrency, at_once=True))

    def get_first_token(self) -> ProbeSteps[None]:
        """Let the client make its first call, for which it needs a token.

        Raises:
            CaseError: The call fails without any provocation.
        """
        (result,) = yield from self.calls()
        if result.error is not None:
            raise CaseError(
                f"the call fails although nothing was provoked: {result}"
            ) from result.error
        if not self.requests:
            raise CaseError("the call sent no request to the sandbox: check its base URL")

    def writes(self, times: int = 1) -> ProbeSteps[list[CallResult]]:
        """Let the client make its write.

        Raises:
            NotApplicableError: The test gave no write.
        """
        self._last_step = len(self.requests)
        return (yield Perform((self.client.given_write,) * times))

    def new_client(self) -> ProbeSteps[CallResult]:
        """Make another client from the environment as it is now, and let it make its call.

        Raises:
            NotApplicableError: The test gave no way to make one.
        """
        made = yield from self._make_client()
        if made.error is not None:
            return made
        (result,) = yield Perform((self._call_of(made),))
        return result

    def make_client(self) -> ProbeSteps[ClientCall]:
        """Make another client from the environment as it is now; returns its call.

        Raises:
            NotApplicableError: The test gave no way to make one, or it fails.
        """
        made = yield from self._make_client()
        if made.error is not None:
            raise NotApplicableError(f"new_client failed: {made}")
        return self._call_of(made)

    def _make_client(self) -> ProbeSteps[CallResult]:
        if self.client.new_client is None:
            raise NotApplicableError("give a way to make another client: run(call, new_client=...)")
        self._last_step = len(self.requests)
        (made,) = yield Perform((self.client.new_client,))
        return made

    @staticmethod
    def _call_of(made: CallResult) -> ClientCall:
        if not callable(made.value):
            raise CaseError("new_client must return a callable that makes one API call")
        return made.value

    def begin_operation(self) -> ProbeSteps[ClientCall]:
        """Begin one operation of the client; returns the call that performs it.

        Raises:
            NotApplicableError: The test gave no way to begin one.
        """
        if self.client.operation is None:
            raise NotApplicableError("give a way to begin one POST: run(call, operation=...)")
        (made,) = yield Perform((self.client.operation,))
        if made.error is not None or not callable(made.value):
            raise CaseError(f"operation must return a callable that makes one POST, not {made}")
        return made.value

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time."""
        return self.time.now

    def move_to(self, moment: dt.datetime) -> ProbeSteps[None]:
        """Move the clocks of the sandbox and of the client; what sleeps meanwhile wakes up."""
        time = self.time
        yield Move(lambda: time.move_to(moment), lambda: time.amove_to(moment))
        self.settled: int = len(self.requests)

    def advance(self, delta: dt.timedelta) -> ProbeSteps[None]:
        """Let time pass."""
        yield from self.move_to(self.now + delta)

    def move_to_token_age(self, age: dt.timedelta) -> ProbeSteps[None]:
        """Move to the moment when the newest token has this age."""
        yield from self.move_to(self._newest.issued_at + age)

    def to_refresh_point(self, plus: dt.timedelta) -> ProbeSteps[None]:
        """Move to the moment when the newest token becomes due for a refresh, plus something."""
        buffer = self.sandbox.options.refresh_buffer
        yield from self.move_to(self._newest.expires_at - buffer + plus)

    def past_expiry(self) -> ProbeSteps[None]:
        """Move well past the newest token's expiry: every client that checks it needs a new one.

        TC-05 and TC-06 are about the moment of the expiry itself.
        """
        expires = self._newest.expires_at
        # A client may pause after a failed token request, for five minutes as in TC-60.
        pause = _WELL_PAST if self.now < expires else 5 * _WELL_PAST
        yield from self.move_to(max(self.now, expires) + pause)

    @property
    def _newest(self) -> AccessToken:
        token = self.sandbox.tokens.newest
        if token is None:
            raise CaseError("the client asked for no token, so none can grow old")
        return token

    def refreshes_in_buffer(self) -> ProbeSteps[bool]:
        """Whether the client replaces a token inside its refresh buffer, as TC-05 requires."""
        yield from self.to_refresh_point(PAST)
        mark = len(self.requests)
        yield from self.calls()
        return self.count_token_requests(mark) > 0

    def count_token_requests(self, mark: int = 0) -> int:
        """How many token requests were sent after ``mark = len(harness.requests)``."""
        return sum(seen.is_token_request for seen in self.since(mark))

    def sent_elsewhere(self, mark: int, base_url: str) -> list[RecordedRequest]:
        """What another client sent to a base URL that is not the API.

        Raises:
            NotApplicableError: It called the API as before, so it did not read the environment.
        """
        seen = self.since(mark)
        if any(not recorded.elsewhere for recorded in seen):
            name = self.sandbox.options.env_base_url
            self.not_applicable(
                f"{name} was {base_url}, and the sandbox was called: new_client made a client that "
                "does not read the environment, or one of before renews its token in the background"
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
        """Environment variables, by their TURRIS_ name without prefix; None removes one."""
        options = self.sandbox.options
        names = {
            "base_url": options.env_base_url,
            "client_id": options.env_client_id,
            "client_secret": options.env_client_secret,
        }
        with EnvironmentVariables({names.get(key, key): value for key, value in variables.items()}):
            yield

    @contextlib.contextmanager
    def directory(self) -> Iterator[Path]:
        """A directory for files that a client reads."""
        with TemporaryDirectory(prefix="turris-") as name:
            yield Path(name)

    @contextlib.contextmanager
    def traces(self, *, search_files: bool = False) -> Iterator[Traces]:
        """Collect logs, output and written files while the context is open.

        Args:
            search_files: As for ``written_files``.
        """
        with watch(search_files=search_files) as traces:
            yield traces

    def find_shown_secret(self, results: list[CallResult]) -> str:
        """Where an exception or the client's repr shows a secret, in words; or empty."""
        for holder in holders_of(self.client.call):
            text = repr(holder)
            if any(secret in text for secret in self.secrets()):
                return f"the repr of {type(holder).__name__}"
        return self.find_in_errors(results, self.secrets())

    def find_in_errors(self, results: list[CallResult], texts: list[str]) -> str:
        """Where an exception shows one of these texts, in words; or empty."""
        for result in results:
            shown = texts_of(result.error)
            if any(text in shown for text in texts):
                return f"the text of {type(result.error).__name__} or of its cause"
        return ""

    def advise_on_reprs(self, results: list[CallResult], where: str = "") -> None:
        """Advise where only the repr of an error shows a secret: aiohttp's has the request.

        Args:
            results: Of the calls.
            where: The beginning of the text, such as ``AR-33/half-open: ``.
        """
        for result in results:
            shown = any(secret in reprs_of(result.error) for secret in self.secrets())
            got = f"{where}a secret or a token shows in the repr of {type(result.error).__name__}"
            self.recommend(not shown, got)
