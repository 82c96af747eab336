"""Whether something grew over a run."""

import statistics
from collections.abc import Sequence

from soak.process import Sample

KINDS = {"memory": 1.1, "threads": 1.25, "descriptors": 1.25}
"""How much more of each the last fifth may have than the second: threads and descriptors follow how
many deliveries are under way."""


def grown(samples: Sequence[Sample]) -> list[str]:
    """What grew, with both medians.

    The first fifth is left out: caches, journals and the evidence of deleted tenants fill until
    they reach their bounds.
    """
    fifth = len(samples) // 5
    found = []
    for kind, most in KINDS.items():
        early = statistics.median(getattr(one, kind) for one in samples[fifth : 2 * fifth])
        late = statistics.median(getattr(one, kind) for one in samples[-fifth:])
        if late > early * most:
            found.append(f"{kind} grew from {early:g} to {late:g}")
    return found
