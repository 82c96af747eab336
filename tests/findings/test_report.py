"""How a verdict reaches the test: as a failure, a warning, a skip, or not at all."""

import unittest

import pytest
from doubles.example_check import ExampleCheck

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.levels import Level
from pytest_turris.findings.errors import CheckFailedError, CheckWarning, NotObservedError
from pytest_turris.findings.report import CheckRun
from pytest_turris.findings.verdict import Finding, Outcome, Verdict

CHECK = ExampleCheck()


class Run(CheckRun):
    """A run whose verdict is given."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(CHECK, [CHECK.id], ())
        self.verdict = verdict
        self.recorded: list[Verdict] = []
        self.record_with(self.recorded.append)

    def run(self) -> Verdict:
        """Report the verdict."""
        return self._report(self._if_ignored() or self.verdict)


def found(level: Level) -> Verdict:
    """A verdict with one finding."""
    return Verdict.of(CHECK, [Finding(level=level, sent="", got="500", expected="200")])


def test_must_fails() -> None:
    """The error is an assertion's, and its text is the verdict's."""
    run = Run(found("must"))
    with pytest.raises(CheckFailedError) as raised:
        run.run()
    assert str(raised.value) == str(run.verdict)
    assert isinstance(raised.value, AssertionError)
    assert isinstance(raised.value, TurrisKitError)
    assert run.recorded == [run.verdict]


def test_should_warns_at_the_line_of_the_test() -> None:
    """The warning shows the caller, and the verdict is returned."""
    run = Run(found("should"))
    with pytest.warns(CheckWarning, match=r"EX-01-.*: warned \(should\)") as warned:
        assert run.run() is run.verdict
    assert warned[0].filename == __file__


@pytest.mark.parametrize("outcome", ["passed", "noted"])
def test_others_are_returned(outcome: Outcome) -> None:
    """What passed, or is only worth a note, lets the test go on."""
    run = Run(Verdict(check=CHECK, outcome=outcome))
    assert run.run().outcome == outcome
    assert run.recorded == [run.verdict]


@pytest.mark.parametrize("outcome", ["not observed", "skipped"])
def test_reason_skips_the_test(outcome: Outcome) -> None:
    """What was not observed or does not apply is skipped, in the way of the standard library."""
    run = Run(Verdict(check=CHECK, outcome=outcome, reason="no occasion"))
    with pytest.raises(NotObservedError, match=f"EX-01 is {outcome}: no occasion") as raised:
        run.run()
    assert isinstance(raised.value, unittest.SkipTest)
    assert isinstance(raised.value, TurrisKitError)


@pytest.mark.parametrize("how", ["call", "marker"])
def test_ignored_check_is_skipped_and_recorded(how: str) -> None:
    """An ignored check is not run; its verdict has the reason."""
    run = Run(found("must"))
    if how == "call":
        run.ignore("EX-01", reason="the proxy does it")
    else:
        run.ignore_marked({"EX-01": "the proxy does it"})
    with pytest.raises(NotObservedError, match="EX-01 is ignored: the proxy does it"):
        run.run()
    assert [(one.outcome, one.reason) for one in run.recorded] == [("ignored", "the proxy does it")]


def test_run_without_a_recorder_works() -> None:
    """A run need not be recorded."""
    run = CheckRun(CHECK, [CHECK.id], ())
    assert run._report(Verdict(check=CHECK, outcome="passed")).outcome == "passed"


def test_not_observed_has_a_reason_even_if_the_verdict_has_none() -> None:
    """A skip without a word would not say what is missing."""
    with pytest.raises(NotObservedError, match="too little was observed to pass"):
        Run(Verdict(check=CHECK, outcome="not observed")).run()


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (found("should"), "warned"),
        (Verdict(check=CHECK, outcome="not observed", reason="no occasion"), "not observed"),
    ],
)
def test_option_lets_an_outcome_fail(verdict: Verdict, outcome: Outcome) -> None:
    """The failure has the verdict's text and names the option; the verdict is as it was."""
    run = Run(verdict)
    run.fail_on(outcome, "fail_on_it")
    with pytest.raises(CheckFailedError, match="option fail_on_it makes") as raised:
        run.run()
    assert str(verdict) in str(raised.value)
    assert run.recorded == [verdict]
    Run(Verdict(check=CHECK, outcome="passed")).run()


def test_run_says_whether_it_was_run() -> None:
    """A test that asks for a check and does not run it can be told from one that does."""
    run = Run(Verdict(check=CHECK, outcome="passed"))
    assert (run.check, run.was_run) == (CHECK, False)
    run.run()
    assert run.was_run
