"""An answer that names a next page, in the common spellings: Turris documents none.

A client that follows no link is right. One that follows links reads one of these spellings, or its
bug is not seen: so all checks of links share them.
"""

import json
from dataclasses import replace
from typing import Any

from pytest_turris.core.wire.messages import Response

_PLACES = ("", "links", "meta", "pagination", "paging")
_URLS = (
    "next", "nextUrl", "next_url", "nextLink", "next_link", "nextPage", "next_page",
    "nextPageUrl", "next_page_url",
)  # fmt: skip
_CURSORS = (
    "nextCursor", "next_cursor", "nextToken", "next_token", "nextPageToken", "next_page_token",
)  # fmt: skip
_MORE = ("hasMore", "has_more")
_ODATA, _HAL = "@odata.nextLink", "_links"

SPELLINGS = (
    f"{', '.join(_URLS)} at the top or in {', '.join(_PLACES[1:])}; {_HAL}.next.href; {_ODATA}; "
    "the header Link"
)
"""The spellings of a next page by its URL, in words."""


def with_next_page(response: Response, url: str) -> Response:
    """The answer, naming a URL as its next page: in its header, and in its body if that is JSON."""
    members = dict.fromkeys(_URLS, url)
    link = ("link", f'<{url}>; rel="next"')
    named = _with_members(response, members, {_HAL: {"next": {"href": url}}, _ODATA: url})
    return replace(named, headers=(*named.headers, link))


def with_cursor(response: Response, cursor: str) -> Response:
    """The answer, naming a cursor of its next page; the same answer if it is not a JSON object."""
    return _with_members(response, dict.fromkeys(_CURSORS, cursor) | dict.fromkeys(_MORE, True), {})


def _with_members(
    response: Response, everywhere: dict[str, Any], at_the_top: dict[str, Any]
) -> Response:
    try:
        document = json.loads(response.body)
    except ValueError:
        return response
    if not isinstance(document, dict):
        return response
    for place in _PLACES:
        document |= {place: document.get(place, {}) | everywhere} if place else everywhere
    return replace(response, body=json.dumps(document | at_the_top).encode())
