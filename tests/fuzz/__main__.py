"""``make fuzz``: sends random requests through every door, and keeps those that fail.

The doors have shares of the inputs: most come to those that take the least time.
"""

import argparse
import hashlib
import sys
import time

from fuzz.control import ControlFuzz
from fuzz.doors import DOORS
from fuzz.fuzz import Fuzz
from fuzz.requests import CORPUS, kept

SHARES = {
    "handle": 55, "asgi": 15, "control": 12, "httpx": 8, "requests": 4, "socket": 2, "serve": 2,
    "tls": 1, "raw": 1,
}  # fmt: skip
"""Of each hundred inputs."""


def main() -> int:
    """Return 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--minutes", type=float, default=2, help="stop after that time")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="or after so many inputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--door", choices=[*DOORS, "control"], help="all by default")
    given = parser.parse_args()
    shares = {given.door: 100} if given.door else SHARES
    failed, total = set[str](), 0
    for door, share in shares.items():
        end = time.monotonic() + given.minutes * 60 * (1 / len(shares))
        sent, found = _through(door, given.seed, given.inputs * share // 100, end)
        total += sent
        failed |= found
        sys.stdout.write(f"  {door}: {sent:,}\n")
        sys.stdout.flush()
    sys.stdout.write(f"seed {given.seed}: {total:,} requests, {len(failed)} problems\n")
    return 1 if failed else 0


def _through(door: str, seed: int, inputs: int, end: float) -> tuple[int, set[str]]:
    """Send requests through one door; how many, and what was wrong."""
    failed = set[str]()
    sent = 0
    with ControlFuzz(seed) if door == "control" else Fuzz(seed, door) as fuzz:
        while sent < inputs and time.monotonic() < end:
            request = fuzz.changed()
            problem = fuzz.problem(request)
            sent += 1
            if problem and problem not in failed:
                failed.add(problem)
                text = kept(request)
                folder = CORPUS / "control" if door == "control" else CORPUS
                folder.mkdir(exist_ok=True)
                file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
                file.write_text(text)
                sys.stdout.write(f"{door}: {problem}: kept in {file}\n")
    return sent - fuzz.unsent, failed


if __name__ == "__main__":
    sys.exit(main())
