"""``make soak``: millions of requests, and tenants and webhooks that come and go."""

import argparse
import asyncio
import datetime as dt
import json
import sys
import tempfile
from pathlib import Path

from soak.graph import draw
from soak.growth import grown
from soak.lives import Site
from soak.process import Sample, served
from soak.receivers import Receivers
from soak.run import Result, soak

DOCS = Path(__file__).parents[2] / "docs"
FILE = DOCS / "explanation" / "soak.json"
_EVERY = 10.0


def main() -> int:
    """Return 1 if something was lost, or grew."""
    parser = argparse.ArgumentParser(prog="python -m soak")
    parser.add_argument("--requests", type=int, default=2_000_000)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--record", action="store_true", help="keep the result for the page")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as server,
        Receivers() as receivers,
    ):
        site = Site(server.port, server.token, receivers)
        run = soak(
            site,
            server,
            tenants=given.tenants,
            requests=given.requests,
            every=_EVERY,
            on_sample=_show,
        )
        result = asyncio.run(run)
    result.problems += grown(result.samples)
    if given.record:
        FILE.write_text(json.dumps(_as_json(result)) + "\n")
        draw(result.samples, FILE.with_suffix(".svg"))
    for problem in result.problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        f"{result.sent['requests']:,} requests, {result.tenants.total():,} tenants "
        f"({result.tenants['killed']:,} killed), {result.sent['webhooks']:,} webhooks, "
        f"{result.samples[-1].second:.0f} s: {len(result.problems)} problems\n"
    )
    return 1 if result.problems else 0


def _show(sample: Sample) -> None:
    """Once a minute, where the run is."""
    if sample.second % 60 < _EVERY:
        sys.stdout.write(
            f"{sample.second:.0f} s: {sample.tenants:,} tenants, {sample.requests:,} requests, "
            f"{sample.memory:g} MiB, {sample.threads} threads, {sample.descriptors} descriptors\n"
        )
        sys.stdout.flush()


def _as_json(result: Result) -> dict[str, object]:
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),  # noqa: TID251 - the day of the run
        "requests": result.sent["requests"],
        "webhooks": result.sent["webhooks"],
        "tenants": dict(result.tenants),
        "problems": result.problems,
        "samples": [one.as_json() for one in result.samples],
    }


if __name__ == "__main__":
    sys.exit(main())
