"""The public names of the package."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_turris


def test_names_are_sorted_and_documented() -> None:
    """``__all__`` is in order and is what the documentation names."""
    assert list(pytest_turris.__all__) == sorted(pytest_turris.__all__)
    assert {"OptionError", "Options", "Sandbox"} <= set(pytest_turris.__all__)
    assert dir(pytest_turris) == pytest_turris.__all__


@pytest.mark.parametrize("name", pytest_turris.__all__)
def test_name_is_importable(name: str) -> None:
    """Each name is there, is that of the thing itself, and has a docstring."""
    found = getattr(pytest_turris, name)
    assert found.__name__ == name
    assert found.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is the usual error."""
    with pytest.raises(AttributeError, match="no attribute 'Sandbx'"):
        pytest_turris.Sandbx  # type: ignore[attr-defined]  # noqa: B018 - the access is the test


def test_import_of_the_package_loads_nothing() -> None:
    """The names are loaded when they are asked for."""
    script = (
        "import sys, pytest_turris; "
        "print(sorted({'pydantic', 'httpx', 'jwt', 'pytest'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert done.stdout.strip() == b"[]"


def test_type_checkers_read_the_same_names() -> None:
    """The stub imports each public name from the module that it is loaded from."""
    stub = Path(pytest_turris.__file__).with_suffix(".pyi").read_text()
    stated = re.findall(r"^from (\S+) import (\w+) as \2$", stub, re.MULTILINE)
    assert {name for _, name in stated} == set(pytest_turris.__all__)
    for home, name in stated:
        assert getattr(pytest_turris, name) is getattr(sys.modules[home], name)
