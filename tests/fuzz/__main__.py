"""``make fuzz``: sends random requests for minutes, and keeps those that fail in the corpus."""

import argparse
import hashlib
import sys
import time

from fuzz.requests import CORPUS, Fuzz, kept


def main() -> int:
    """Return 1 if a request failed."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    fuzz = Fuzz(given.seed)
    end, sent, failed = time.monotonic() + given.minutes * 60, 0, set()
    while time.monotonic() < end:
        request = fuzz.changed()
        problem = fuzz.problem(request)
        sent += 1
        if problem and problem not in failed:
            failed.add(problem)
            text = kept(request)
            file = CORPUS / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
            file.write_text(text)
            sys.stdout.write(f"{problem}: kept in {file}\n")
    sys.stdout.write(f"seed {given.seed}: {sent:,} requests, {len(failed)} problems\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
