"""Environment variables are set while a context is open, and are as before afterwards."""

import os

import pytest

from pytest_turris.process.environment import EnvironmentVariables


@pytest.fixture(autouse=True)
def _two_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURRIS_TEST_SET", "before")
    monkeypatch.delenv("TURRIS_TEST_UNSET", raising=False)


def found() -> tuple[str | None, str | None]:
    """Both variables."""
    return os.environ.get("TURRIS_TEST_SET"), os.environ.get("TURRIS_TEST_UNSET")


def test_variables_are_set_and_restored() -> None:
    """A variable is set or replaced; what was not there is removed again."""
    with EnvironmentVariables({"TURRIS_TEST_SET": "inside", "TURRIS_TEST_UNSET": "inside"}):
        assert found() == ("inside", "inside")
    assert found() == ("before", None)


def test_none_removes_a_variable() -> None:
    """A variable is removed for a while, also if it is not set."""
    with EnvironmentVariables({"TURRIS_TEST_SET": None, "TURRIS_TEST_UNSET": None}):
        assert found() == (None, None)
    assert found() == ("before", None)


@pytest.mark.parametrize("value", ["inside", "null\0byte"])
def test_variables_are_restored_after_an_error(value: str) -> None:
    """An exception inside restores them, and so does a value that the system refuses."""
    variables = {"TURRIS_TEST_SET": "inside", "TURRIS_TEST_UNSET": value}
    with pytest.raises(ValueError, match="byte"), EnvironmentVariables(variables):
        raise ValueError("byte")
    assert found() == ("before", None)
