"""The time and memory to seed the largest data set, and the time to list it with a filter."""

import statistics
import time
import tracemalloc

from pytest_turris.core.entity.seeds import SeedData
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request

SEED: SeedData = "national_network"


def main() -> None:
    seeded = []
    for _ in range(5):
        sandbox = Sandbox()
        begin = time.process_time()
        sandbox.seed(SEED)
        seeded.append(time.process_time() - begin)
    licensed = next(iter(sandbox.licenses))
    token = sandbox.tokens.issue(sandbox.client).text
    request = Request(
        method="GET",
        path="/v1/agents",
        query=f"licenseNumber={licensed.license_number}&stateCode={licensed.state_code}",
        headers=(("authorization", f"Bearer {token}"),),
        host="public.api.sandbox.turrisfi.com",
    )
    listed = []
    for _ in range(200):
        begin = time.process_time()
        sandbox.handle(request)
        listed.append(time.process_time() - begin)
    tracemalloc.start()
    kept = Sandbox()
    kept.seed(SEED)
    weight, _ = tracemalloc.get_traced_memory()
    print(f"{SEED}: {len(kept.agents):,} agents, {len(kept.licenses):,} licenses")
    print(f"seeded in {statistics.median(seeded):.2f} s, {weight / 2**20:.0f} MiB")
    print(f"one filtered list {statistics.median(listed) * 1000:.3f} ms")


if __name__ == "__main__":
    main()
