"""Looks for cookies only in answers that set one, as httpx2 does.

A client of httpx makes an e-mail message, twice, and a request of ``urllib`` for each answer, to
find its cookies. That takes longer than the sandbox takes for most answers, and Turris sets none.
"""

from collections.abc import Callable
from http.cookiejar import CookieJar
from types import ModuleType
from typing import Any

from pytest_turris.process.patch import Replacement

_EXTRACT = "extract_cookies"

_Extract = Callable[[Any, Any], None]


def quick_cookies(library: ModuleType) -> tuple[Replacement, ...]:
    """What to replace in httpx; nothing in httpx2."""
    cookies = getattr(library, "Cookies", None)
    is_slow = library.__name__ == "httpx" and hasattr(cookies, _EXTRACT)
    return ((cookies, _EXTRACT, _quick),) if is_slow else ()


def _quick(extract: _Extract) -> _Extract:
    """The same method, which looks at the names of the answer's header fields first.

    A cookie jar of another class may do more with an answer, and gets each.
    """

    def extract_cookies(cookies: Any, response: Any) -> None:  # noqa: ANN401 - of httpx
        fields = response.headers
        if type(cookies.jar) is CookieJar and not (
            "set-cookie" in fields or "set-cookie2" in fields
        ):
            return
        extract(cookies, response)

    return extract_cookies
