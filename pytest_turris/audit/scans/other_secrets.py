"""FE-04: secrets of other services, as detect-secrets knows them."""

from collections.abc import Iterator
from typing import Any

from pytest_turris.audit.scans.files import ScannedFile
from pytest_turris.audit.scans.hit import Hit

# These find any long random text, or any address: too often neither is a secret.
_NOISY = frozenset({"Base64HighEntropyString", "HexHighEntropyString", "IPPublicDetector"})
_FILTERS = (
    "allowlist.is_line_allowlisted", "heuristic.is_indirect_reference",
    "heuristic.is_sequential_string", "heuristic.is_templated_secret",
    "heuristic.is_potential_uuid", "heuristic.is_lock_file", "heuristic.is_swagger_file",
    "heuristic.is_prefixed_with_dollar_sign", "heuristic.is_not_alphanumeric_string",
)  # fmt: skip
_LARGEST = 2_000_000
"""It takes seconds for a million characters."""


def is_installed() -> bool:
    """Whether detect-secrets is there; it comes with the extra ``audit``."""
    try:
        import detect_secrets  # noqa: F401, PLC0415 - an optional dependency
    except ImportError:
        return False
    return True


def is_readable(file: ScannedFile) -> bool:
    """Whether it takes files like this one."""
    return file.is_text and len(file.text) <= _LARGEST and file.path.suffix != ".gz"


def other_secrets(file: ScannedFile) -> Iterator[Hit]:
    """The secrets in a file, each line and kind once. No value is verified at its service."""
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415 - an optional dependency
    from detect_secrets.settings import transient_settings  # noqa: PLC0415 - as above

    with transient_settings(_settings()):
        found = {(one.line_number, one.type) for one in scan_file(str(file.path))}
    starts = _line_starts(file.text)
    for line, kind in sorted(found):
        yield Hit(starts[min(line, len(starts)) - 1], f"what detect-secrets calls {kind}")


def _settings() -> dict[str, Any]:
    from detect_secrets.core.plugins.util import (  # noqa: PLC0415 - as above
        get_mapping_from_secret_type_to_class,
    )

    known: dict[str, type] = get_mapping_from_secret_type_to_class()
    plugins = (one.__name__ for one in known.values())
    return {
        "plugins_used": [{"name": name} for name in plugins if name not in _NOISY],
        "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS],
    }


def _line_starts(text: str) -> list[int]:
    starts = [0]
    while (end := text.find("\n", starts[-1])) >= 0:
        starts.append(end + 1)
    return starts
