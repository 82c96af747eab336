"""Proxies of the environment are those that the standard library finds."""

import os
import sys
from collections.abc import Iterator
from types import ModuleType
from urllib.request import getproxies

import httpx
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors

LIBRARIES = [httpx, httpx2]
SUFFIXES = ["_proxy", "_PROXY", "_Proxy", "_proxy_", "PROXY", ""]
names = st.builds(
    str.__add__, st.sampled_from(["http", "ALL", "no", "x"]), st.sampled_from(SUFFIXES)
)
values = st.sampled_from(["", "http://127.0.0.1:9", "*", "localhost"])


@pytest.fixture
def doors() -> Iterator[None]:
    """The doors of a sandbox are open."""
    with open_doors(Sandbox()):
        yield


@pytest.fixture
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no proxy."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("library", LIBRARIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(variables=st.dictionaries(names, values, max_size=3))
def test_proxies_are_the_same(
    library: ModuleType, doors: None, without_proxies: None, variables: dict[str, str]
) -> None:
    """Whatever the case of a variable's name, and whatever its value."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        assert library._utils.getproxies() == getproxies()


@pytest.mark.parametrize("library", LIBRARIES)
def test_client_of_a_test_uses_a_proxy_of_its_own(
    library: ModuleType, doors: None, without_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that the test sets counts for the next client."""
    assert library.Client()._mounts == {}
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert [pattern.pattern for pattern in library.Client()._mounts] == ["https://"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system has settings too")
@pytest.mark.parametrize("library", LIBRARIES)
def test_environment_without_a_proxy_is_not_read_in_full(
    library: ModuleType, doors: None, without_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its names are."""
    monkeypatch.setattr(type(os.environ), "__getitem__", pytest.fail)
    assert library._utils.getproxies() == {}


@pytest.mark.parametrize("library", LIBRARIES)
def test_function_of_another_stays(library: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user's fixture put there before is asked as it is."""
    proxies = {"https": "http://127.0.0.1:9"}
    monkeypatch.setattr(library._utils, "getproxies", lambda: proxies)
    with open_doors(Sandbox()):
        assert library._utils.getproxies() is proxies
