"""A client keeps the same cookies as without a sandbox."""

from collections.abc import Iterator
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from types import ModuleType
from urllib.request import Request

import httpx
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_turris.core.sandbox import Sandbox
from pytest_turris.doors.in_process.opening import open_doors

LIBRARIES = [httpx, httpx2]
URL = "https://example.invalid/"
COOKIE = "a=1; Path=/"
names = st.sampled_from(
    ["set-cookie", "Set-Cookie", "SET-COOKIE", "set-cookie2", "cookie", "x-set"]
)
fields = st.lists(st.tuples(names, st.sampled_from([COOKIE, "b=2", "", "c"])), max_size=4)


@pytest.fixture
def doors() -> Iterator[None]:
    """The doors of a sandbox are open."""
    with open_doors(Sandbox()):
        yield


def kept(
    library: ModuleType, answer: list[tuple[str, str]], jar: CookieJar | None = None
) -> list[tuple[str, str | None]]:
    """The cookies of a client that got an answer with these header fields."""

    def respond(_: object) -> httpx.Response:
        made: httpx.Response = library.Response(200, headers=answer)
        return made

    with library.Client(transport=library.MockTransport(respond), cookies=jar) as client:
        response = client.get(URL)
        jars = response.cookies.jar, client.cookies.jar
        of_answer, of_client = ([(one.name, one.value) for one in jar] for jar in jars)
        assert of_answer == of_client
        return of_client


@pytest.mark.parametrize("library", LIBRARIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=fields)
def test_cookies_are_the_same(library: ModuleType, answer: list[tuple[str, str]]) -> None:
    """Whatever header fields an answer has, in either case."""
    without = kept(library, answer)
    with open_doors(Sandbox()):
        assert kept(library, answer) == without


@pytest.mark.parametrize("library", LIBRARIES)
def test_cookie_of_an_answer_is_kept(library: ModuleType, doors: None) -> None:
    """Another server may set one while a sandbox answers for Turris."""
    assert kept(library, [("set-cookie", COOKIE)]) == [("a", "1")]


@pytest.mark.parametrize("library", LIBRARIES)
def test_answer_without_a_cookie_is_not_read_for_one(
    library: ModuleType, doors: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That makes a message and a request of two other libraries."""
    monkeypatch.setattr(CookieJar, "extract_cookies", pytest.fail)
    assert kept(library, [("content-type", "text/plain")]) == []


def test_cookie_jar_of_the_user_gets_every_answer(doors: None) -> None:
    """It may do more than look for cookies."""
    asked: list[str] = []

    class Jar(CookieJar):
        def extract_cookies(self, response: HTTPResponse, request: Request) -> None:
            asked.append(request.full_url)
            super().extract_cookies(response, request)

    kept(httpx, [("content-type", "text/plain")], Jar())
    assert asked == [URL]
