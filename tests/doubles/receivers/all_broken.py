"""Loads every module of broken receivers, which register themselves."""

from . import (  # noqa: F401 - loaded for their registration
    broken_aftermath,
    broken_behaviour,
    broken_body,
    broken_bytes,
    broken_claims,
    broken_injection,
    broken_keys,
    broken_protocols,
    broken_signature,
    broken_switches,
    broken_types,
)
from .registry import BROKEN

__all__ = ("BROKEN",)
