"""Options: ini keys for the project, a marker for the rest, and what a mistake looks like."""

import dataclasses
import datetime as dt
from typing import get_args

import pytest

from pytest_turris import plugin
from pytest_turris.core.options import Options, option_types

from .project import Project


def another(name: str, default: object) -> tuple[str, object]:
    """A text for the ini file that does not mean the default, and what it means."""
    kind = option_types()[name]
    if choices := [choice for choice in get_args(kind) if choice != default]:
        return choices[-1], choices[-1]
    if kind is dt.timedelta:
        return "90.5", dt.timedelta(seconds=90.5)
    if kind is bool:
        return str(not default).lower(), not default
    return ("12345", 12345) if kind is int else (f"/X_{name}", f"/X_{name}")


def test_ini_names_are_the_options() -> None:
    """The plugin's own list of names, written out to import nothing, is complete."""
    assert list(plugin._INI_NAMES) == [field.name for field in dataclasses.fields(Options)]


def test_every_option_is_accepted_from_the_ini_file(project: Project) -> None:
    """Each ini key sets the option of its name."""
    values = {name: another(name, getattr(Options(), name)) for name in option_types()}
    values |= {"webhook_secret": ("a2V5", "a2V5")}  # what signature_key = base64 needs
    project.ini(*(f"turris_{name} = {text}" for name, (text, _) in values.items()))
    project.files(
        "import datetime",
        f"expected = { ({name: value for name, (_, value) in values.items()})!r}",
        "def test_options(turris):",
        "    assert {name: getattr(turris.options, name) for name in expected} == expected",
    )
    project.run("--strict-config").assert_outcomes(passed=1)


def test_ini_key_from_pyproject_and_command_line(project: Project) -> None:
    """The keys work in ``pyproject.toml``, with its own types, and with ``-o``."""
    project.pytester.makepyprojecttoml(
        """
        [tool.pytest.ini_options]
        turris_token_ttl = 90
        turris_retry_after = true
        """
    )
    project.files(
        "def test_options(turris):",
        "    options = turris.options",
        "    found = options.token_ttl.seconds, options.retry_after, options.seed",
        "    assert found == (90, True, 3)",
    )
    project.run("-o", "turris_seed=3").assert_outcomes(passed=1)


def test_nearest_marker_wins(project: Project) -> None:
    """Function over class over module over ini file; of two on one function, the lower."""
    project.ini("turris_seed = 1", "turris_token_ttl = 60")
    project.files(
        "import datetime as dt",
        "import pytest",
        "pytestmark = pytest.mark.turris(seed=2)",
        "def minutes(n): return dt.timedelta(minutes=n)",
        "def of(turris): return turris.options.seed, turris.options.token_ttl",
        "def test_module(turris): assert of(turris) == (2, minutes(1))",
        "@pytest.mark.turris(token_ttl=minutes(2))",
        "class TestClass:",
        "    def test_class(self, turris): assert of(turris) == (2, minutes(2))",
        "    @pytest.mark.turris(seed=4)",
        "    def test_method(self, turris): assert of(turris) == (4, minutes(2))",
        "    @pytest.mark.turris(seed=4)",
        "    @pytest.mark.turris(seed=5, token_ttl=minutes(3))",
        "    def test_two(self, turris): assert of(turris) == (5, minutes(3))",
        "@pytest.mark.parametrize('n', [pytest.param(6, marks=pytest.mark.turris(seed=6))])",
        "def test_parameter(turris, n): assert of(turris)[0] == n",
    )
    project.run("--strict-markers").assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (
            "tokn_ttl=1",
            "turris marker: there is no turris option 'tokn_ttl'; did you mean 'token_ttl'?",
        ),
        ("zzz=1", "turris marker: there is no turris option 'zzz'"),
        ("seed='1'", "turris marker: turris option 'seed': '1' is no whole number"),
        ("seed=True", "turris marker: turris option 'seed': True is no whole number"),
        ("tls=1", "turris marker: turris option 'tls': 1 is no true or false"),
        (
            "envelope='none'",
            "turris marker: turris option 'envelope': 'none' is no one of 'data', *",
        ),
        (
            "token_ttl=3600",
            "turris marker: turris option 'token_ttl': 3600 is no duration (a timedelta; *)",
        ),
        ("60", "turris marker: options are keywords: turris(token_ttl=...)"),
    ],
)
def test_mistake_in_a_marker_is_one_line(project: Project, marker: str, words: str) -> None:
    """The user reads what is wrong and what was meant, and no line of this plugin."""
    project.files("import pytest", f"@pytest.mark.turris({marker})", "def test_x(turris): pass")
    result = project.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test_x*", words, "*= short test summary info =*"], consecutive=True
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("turris_seed = one", "in the ini file: turris option 'seed': 'one' is no whole number"),
        ("turris_tls = maybe", "in the ini file: turris option 'tls': 'maybe' is no true or false"),
        (
            "turris_token_ttl = 1h",
            "in the ini file: turris option 'token_ttl': '1h' is no duration (*seconds*)",
        ),
        (
            "turris_envelope = none",
            "in the ini file: turris option 'envelope': 'none' is no one of 'data', *",
        ),
    ],
)
def test_mistake_in_the_ini_file_is_one_line(project: Project, line: str, words: str) -> None:
    """A bad value in the ini file is said to be there."""
    project.ini(line)
    project.files("def test_x(turris): pass", "def test_y(): pass")
    result = project.run()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test_x*", words, "*= short test summary info =*"], consecutive=True
    )


def test_misspelt_ini_key_is_pytests_own_warning(project: Project) -> None:
    """Each key is known to pytest, so that a misspelt one is not taken silently."""
    project.ini("turris_tokn_ttl = 60")
    project.files("def test_x(turris): pass")
    result = project.run_apart("--strict-config")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Unknown config option: turris_tokn_ttl*"])


def test_webhook_secret_of_a_mistake_is_not_shown(project: Project) -> None:
    """A mistake in the one option that is a secret does not repeat it."""
    project.files(
        "import pytest",
        "@pytest.mark.turris(webhook_secret=b'very secret')",
        "def test_x(turris): pass",
    )
    result = project.run("-l")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["turris marker: turris option 'webhook_secret': * is no text"])
    result.stdout.no_fnmatch_line("*very secret' is no*")


def test_marker_and_keys_are_described(project: Project) -> None:
    """``pytest --markers`` and ``pytest --help`` tell what there is."""
    project.run("--markers").stdout.fnmatch_lines(["@pytest.mark.turris(?*options): *"])
    project.run("--help").stdout.fnmatch_lines([f"  turris_{name} *" for name in plugin._INI_NAMES])
