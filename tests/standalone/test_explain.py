"""``turris-sandbox explain``: each failure's id leads to a text, also without the web."""

import ast
import json

import pytest
from click.testing import CliRunner, Result
from doubles.consumer_project import QUIET
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.explaining import checks, options
from mock_server.explaining.command import explain
from mock_server.explaining.explanation import Explanation
from pytest_turris.audit.checklist import CHECKLIST
from pytest_turris.audit.families import FAMILIES
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import Options, option_types, parse


def run(*names: str) -> Result:
    """Explain these names."""
    return CliRunner().invoke(explain, names)


def every_check() -> list[Explanation]:
    """All of all kinds."""
    return [one for prefix in FAMILIES for one in checks.check_explanations(prefix).values()]


def test_every_check_has_each_part() -> None:
    """What it does, why, how to fix it, its level and source, and a page."""
    for one in every_check():
        for part in ("What it does", "Why it matters", "Fix", "Level", "Source"):
            assert one.parts[part], f"{one.name}: {part}"
        assert one.url.startswith("https://"), one.name


def test_every_check_has_examples() -> None:
    """A broken one and a right one, which differ; all but those of scans are Python."""
    for one in every_check():
        assert one.broken, one.name
        assert one.right, one.name
        assert one.broken != one.right, one.name
        if one.language == "python":
            ast.parse(one.broken)
            ast.parse(one.right)


def test_examples_are_of_checks_that_exist() -> None:
    """None is left over from a check that was renamed."""
    names = {one.name for one in every_check()}
    assert set(checks.examples()) == names


@pytest.mark.parametrize(
    ("given_name", "heading"),
    [
        ("WH-05", "WH-05: wrong-same-length"),
        ("wh-05-wrong-same-length", "WH-05: wrong-same-length"),
        ("TC-10-a-shorter-expiresin-is-honoured", "TC-10: "),
        ("AR-27/milliseconds", "AR-27: "),
        ("rq-04", "RQ-04: Requests go over HTTPS only"),
        ("AU-1", "AU-1: "),
        ("au-01", "AU-1: "),
        ("WH5", "WH-05: wrong-same-length"),
        ("token_ttl", "token_ttl: an option"),
        ("turris_token_ttl", "token_ttl: an option"),
    ],
)
def test_name_as_it_is_read_in_a_failure(given_name: str, heading: str) -> None:
    """An id with what follows it in a test's name, and an option with the prefix of ini keys."""
    done = run(given_name)
    assert done.exit_code == 0
    assert done.stdout.startswith(heading)


def test_several_names_are_explained_one_after_the_other() -> None:
    """With an empty line between them."""
    done = run("WH-05", "seed")
    assert "\n\nseed: an option of the sandbox\n" in done.stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("WH-500", "did you mean 'WH-50'?"),
        ("token_tl", "did you mean 'token_ttl'?"),
        ("XX-01", "name a check (WH-.., TC-.., AR-.."),
    ],
)
def test_unknown_name_is_a_usage_error(name: str, hint: str) -> None:
    """One line with the nearest name, and exit status 2."""
    done = run(name)
    assert done.exit_code == 2
    assert hint in done.stderr


def test_an_option_shows_how_to_set_it() -> None:
    """In a test, in an ini file and on the command line, with its unit and what it stands for."""
    text = run("token_ttl").stdout
    assert "@pytest.mark.turris(token_ttl=timedelta(seconds=1800))" in text
    assert "turris_token_ttl = 1800" in text
    assert "turris-sandbox serve -o token_ttl=1800" in text
    assert "Unit: seconds" in text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("token_ttl", "Why it matters: Turris may change it"),
        ("rate_window", "Why it matters: Turris' documentation does not settle it"),
    ],
)
def test_an_option_says_why_one_may_set_it(name: str, why: str) -> None:
    """It depends on how the behaviour is known."""
    assert why in run(name).stdout


def test_options_that_only_tests_read_are_not_shown_for_a_server() -> None:
    """Where the server has a flag of its own, that is shown."""
    assert "serve" not in run("time_tick").stdout
    assert "turris-sandbox serve --tls\n" in run("tls").stdout


def test_a_line_of_the_security_page_shows_code() -> None:
    """The code of a check that proves it; what only people can say has none."""
    text = run("SEC-07").stdout
    assert "Why it matters: " in text
    assert "The examples are those of: RQ-01" in text
    assert checks.examples()["RQ-01"]["broken"].splitlines()[0] in text
    for name, line in CHECKLIST.items():
        said = run(name).stdout
        assert ("Why it matters" in said) == bool(line.proofs or line.others or line.repeats), name


def test_every_option_is_explained() -> None:
    """Also those that stand for a behaviour of Turris, with its provenance."""
    found = options.option_explanations()
    assert set(found) == set(option_types())
    for row in FIDELITY:
        for name in row.options:
            assert row.provenance in found[name].parts["Stands for"]


@pytest.mark.parametrize("name", option_types())
def test_an_option_has_a_broken_and_a_right_example(name: str) -> None:
    """The right one has another value than the default; the broken one says how it is refused."""
    value = options.example_value(name)
    assert value != getattr(Options(), name)
    one = options.option_explanations()[name]
    ast.parse(one.right)
    assert f"@pytest.mark.turris({name}=" in one.right
    assert f"# turris option '{name}': " in one.broken
    assert parse(name, one.parts["In an ini file"].partition(" = ")[2]) == value


def test_examples_of_options_are_tests_that_pass(pytester: pytest.Pytester) -> None:
    """As they are shown, with what the fixtures of attacks and sweeps need."""
    found = options.option_explanations().values()
    runs = [
        one.right for one in found if not one.right.endswith(("_attack): ...\n", "_case): ...\n"))
    ]
    files = {f"test_{number}": text for number, text in enumerate(runs)}
    pytester.makepyfile(**files)
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=len(runs), warnings=0)


def test_markdown_has_the_same_parts() -> None:
    """As the text: a section of a page, with the code folded."""
    one = checks.check_explanations("TC")["TC-02"]
    text = one.as_markdown("TC-02")
    assert text.startswith("## TC-02\n")
    assert all(f"- {label}: {part}" in text for label, part in one.parts.items() if part)
    assert one.broken.strip() in text
    assert "details" not in Explanation(name="x", title="y").as_markdown("x")


def test_examples_hide_comments_for_checkers() -> None:
    """No ``noqa`` or ``type: ignore`` of our own tests."""
    text = json.dumps(checks.examples())
    assert "noqa" not in text
    assert "type: ignore" not in text


@given(st.text(max_size=20))
@settings(max_examples=20, deadline=None)
def test_any_name_gets_an_answer(name: str) -> None:
    """A text or a usage error, never a traceback."""
    assert run("--", name).exit_code in (0, 2)


@pytest.mark.parametrize("name", CHECKLIST)
def test_every_line_of_the_checklist_is_explained(name: str) -> None:
    """With what would prove it, or the lines that it repeats; each link leads to its section."""
    text = run(name).output
    assert text.startswith(f"{name}: {CHECKLIST[name].words}")
    assert ("To prove it: " in text) != ("Repeats: " in text)
    assert f"#{name.lower()}" in text


def test_checks_in_a_row_are_a_range() -> None:
    """A list of fifty ids is not read."""
    assert "WH-100 to WH-111" in " ".join(run("sec-11").output.split())
