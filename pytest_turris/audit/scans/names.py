"""FE-02: names of variables that build tools copy into what a browser gets."""

import re
from collections.abc import Iterator

from pytest_turris.audit.scans.files import ScannedFile
from pytest_turris.audit.scans.hit import Hit

_PREFIXES = (
    "VITE", "NEXT_PUBLIC", "REACT_APP", "VUE_APP", "NUXT_PUBLIC", "GATSBY", "EXPO_PUBLIC",
    "NG_APP", "STORYBOOK", "PUBLIC", "RSBUILD_PUBLIC", "TARO_APP", "PLASMO_PUBLIC", "WXT",
)  # fmt: skip
"""Prefixes by which Vite, Next.js, Create React App, Vue, Nuxt, Gatsby and others know them."""

_SECRETS = r"(?:SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PRIVATE_KEY|CREDENTIALS?)"
_NAME = re.compile(
    rf"(?<![A-Za-z0-9_])(?:{'|'.join(_PREFIXES)})_"
    rf"(?:[A-Z0-9_]*?{_SECRETS}|[A-Z0-9_]*?TURRIS_[A-Z0-9_]*?(?:CLIENT_ID|KEY))[A-Z0-9_]*"
)
# Names of values that are public: tokens of map services, forms, analytics.
_PUBLIC = re.compile(r"PUBLISHABLE|PUBLIC_KEY|CSRF|XSRF|MAPBOX|SITE_TOKEN|ANALYTICS|MEASUREMENT")


def public_names(file: ScannedFile) -> Iterator[Hit]:
    """Each name with a secret in it, once for each file."""
    found: dict[str, int] = {}
    for match in _NAME.finditer(file.text) if file.is_text else ():
        if not _PUBLIC.search(match[0]):
            found.setdefault(match[0], match.start())
    for name, offset in found.items():
        yield Hit(offset, f"the name {name}", "must" if "TURRIS" in name else None)
