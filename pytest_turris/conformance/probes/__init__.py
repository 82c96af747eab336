"""One probe for each rule, in files by what they look at; importing this package loads all."""

from importlib import import_module

from pytest_turris.conformance.probes.registry import PROBES

_FILES = (
    "caching", "expiry", "answers", "credentials", "configuration", "redirects", "leaking",
    "writing", "proxies", "processes",
)  # fmt: skip

for _name in _FILES:
    import_module(f"{__name__}.{_name}")

__all__ = ["PROBES"]
