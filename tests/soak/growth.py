"""Whether something grew over a run."""

import statistics
from collections.abc import Sequence

from soak.process import Sample

KINDS = {"memory": 1.1, "threads": 1.25, "descriptors": 1.25}
"""How much more of each the last fifth may have than the second: threads and descriptors follow how
many deliveries are under way."""


def medians(samples: Sequence[Sample], kind: str) -> tuple[float, float]:
    """The median of one kind over the second fifth of a run, and over the last.

    The first fifth is left out: caches, journals and the evidence of deleted tenants fill until
    they reach their bounds.
    """
    fifth = len(samples) // 5
    second, last = samples[fifth : 2 * fifth], samples[-fifth:]
    return (
        statistics.median(getattr(one, kind) for one in second),
        statistics.median(getattr(one, kind) for one in last),
    )


def grown(samples: Sequence[Sample]) -> list[str]:
    """What grew, with both medians."""
    found = {kind: medians(samples, kind) for kind in KINDS}
    return [
        f"{kind} grew from {early:g} to {late:g}"
        for kind, (early, late) in found.items()
        if late > early * KINDS[kind]
    ]
