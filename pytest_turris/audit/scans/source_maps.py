"""FE-03: source maps that have the sources."""

import base64
import binascii
import json
import re
from collections.abc import Iterator

from pytest_turris.audit.scans.files import ScannedFile
from pytest_turris.audit.scans.hit import Hit

# A comment at the end of a script or a style sheet (ECMA-426), with the map as a data: URL.
_INLINE = re.compile(
    r"[#@] ?sourceMappingURL=data:application/json[^,\s]{0,60};base64,([A-Za-z0-9+/=]+)"
)


def inline_maps(text: str) -> Iterator[tuple[int, str]]:
    """The source maps inside of a script, each with its place."""
    for found in _INLINE.finditer(text):
        try:
            yield found.start(), base64.b64decode(found[1]).decode("utf-8", "replace")
        except binascii.Error:
            continue


def published_sources(file: ScannedFile) -> Iterator[Hit]:
    """The map that a file is, and those inside of it, if they have sources."""
    if file.path.name.removesuffix(".gz").endswith(".map") and _has_sources(file.text):
        yield Hit(0, "a source map with the sources")
    for offset, text in inline_maps(file.text):
        if _has_sources(text):
            yield Hit(offset, "an inline source map with the sources")


def may_have_map(file: ScannedFile) -> bool:
    """Whether a source map could be here: in a map, a script or a style sheet."""
    name = file.path.name.removesuffix(".gz")
    return name.endswith((".map", ".js", ".mjs", ".cjs", ".css"))


def _has_sources(text: str) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return False
    sections = document.get("sections")
    parts = [document, *(sections if isinstance(sections, list) else ())]
    return any(_contents(part) for part in parts if isinstance(part, dict))


def _contents(part: dict[str, object]) -> bool:
    own = part.get("map", part)
    contents = own.get("sourcesContent") if isinstance(own, dict) else None
    return isinstance(contents, list) and any(isinstance(one, str) and one for one in contents)
