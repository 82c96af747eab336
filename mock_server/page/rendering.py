"""Templates, assets, and the header fields of every answer of the page."""

import datetime as dt
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pytest_turris.core.wire.messages import NO_SNIFFING, Fields, Response

_HERE = Path(__file__).parent
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Fields = (
    ("content-security-policy", _POLICY),
    NO_SNIFFING,
    ("x-frame-options", "DENY"),
    # With no-referrer, a browser would hide the origin of a form that it sends.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
_HTML: Fields = (("content-type", "text/html; charset=utf-8"), ("cache-control", "no-store"))
_FOREVER = "public, max-age=31536000, immutable"

PAGES = tuple(
    (name, name.capitalize())
    for name in ("overview", "requests", "tokens", "data", "webhooks", "faults", "checklist")
)
"""The pages in the bar, in their order."""

HTMX = json.dumps(
    {
        "allowEval": False,
        "allowScriptTags": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        # A button inside a part that updates itself must not be swapped like that part.
        "disableInheritance": True,
        # Otherwise copies of the page stay in the browser's storage.
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "defaultSettleDelay": 0,
    }
)
"""The policy above requires this of htmx: no code in attributes, no style element of its own."""


def as_html(text: str, status: int = 200, more: Fields = ()) -> Response:
    """An answer with HTML."""
    return Response(status=status, headers=(*_HTML, *_HEADERS, *more), body=text.encode())


def plain(text: str, status: int = 200) -> Response:
    """An answer with text, for the clipboard."""
    headers = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))
    return Response(status=status, headers=(*headers, *_HEADERS), body=text.encode())


def download(text: str, name: str) -> Response:
    """An answer that the browser saves as a file."""
    headers = (
        ("content-type", "application/json"),
        ("content-disposition", f'attachment; filename="{name}"'),
        ("cache-control", "no-store"),
    )
    return Response(status=200, headers=(*headers, *_HEADERS), body=text.encode())


def moved(to: str, more: Fields = ()) -> Response:
    """An answer that sends the browser to another page of this one."""
    return Response(status=303, headers=(("location", to), *_HEADERS, *more))


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - what the template shows
    """A template as text. Everything in it is escaped unless it is markup of ours."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    """The templates. What they name must be there."""
    found = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.globals |= {"asset": asset_url, "htmx_config": HTMX, "pages": PAGES}
    found.filters |= {
        "clock": clock_time,
        "span": age,
        "seg": segment,
        "pretty": pretty,
        "short": short,
    }
    return found


@cache
def _assets() -> dict[str, tuple[bytes, str, str]]:
    """Each asset by its name: its bytes, its media type, and a digest of the bytes."""
    return {
        file.name: (body, _KINDS[file.suffix], hashlib.sha256(body).hexdigest()[:12])
        for file in sorted((_HERE / "assets").iterdir())
        if file.suffix in _KINDS
        for body in (file.read_bytes(),)
    }


def asset_url(name: str) -> str:
    """The URL of an asset; it changes with its content."""
    return f"/__sandbox__/page/assets/{_assets()[name][2]}/{name}"


def asset(name: str) -> Response | None:
    """An asset; None if there is none of that name."""
    if name not in _assets():
        return None
    body, kind, _ = _assets()[name]
    headers = (("content-type", f"{kind}; charset=utf-8"), ("cache-control", _FOREVER))
    return Response(status=200, headers=(*headers, *_HEADERS), body=body)


def clock_time(moment: str) -> str:
    """The time of day of a moment in ISO 8601, to the millisecond."""
    return moment.partition("T")[2].rstrip("Z")[:12]


def age(seconds: float) -> str:
    """A duration in words, such as ``1 h 02 min``; negative ones have a minus."""
    whole = dt.timedelta(seconds=round(abs(seconds)))
    days, rest = whole.days, whole.seconds
    hours, minutes, left = rest // 3600, rest // 60 % 60, rest % 60
    sign = "−" if seconds <= -0.5 else ""  # noqa: PLR2004, RUF001 - half of the last digit; a minus sign
    if days:
        return f"{sign}{days} d {hours:02} h"
    if hours:
        return f"{sign}{hours} h {minutes:02} min"
    return f"{sign}{minutes} min {left:02} s" if minutes else f"{sign}{left} s"


def segment(text: object) -> str:
    """A text as one segment of a path."""
    return quote(str(text), safe="")


def short(credential: str) -> str:
    """Return a credential without the prefix that all of a sandbox have."""
    return credential.replace("turris_sandbox_client_", "…")


def pretty(text: str) -> str:
    """JSON with its members one a line; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
