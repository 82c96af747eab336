"""The time to get the signing key, and to check a bearer token that was seen before.

Compared with what a library does: load the key with checks, and verify the signature each time.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pytest_turris.core.access.keys import signing_key
from pytest_turris.core.sandbox import Sandbox

STARTS = 9
FIRST_KEY = """
import time
from pytest_turris.core.access.keys import signing_key
begin = time.perf_counter()
signing_key()
print((time.perf_counter() - begin) * 1000)
"""


def main() -> None:
    firsts = [
        float(subprocess.run([sys.executable, "-c", FIRST_KEY], capture_output=True, text=True,
                             check=True).stdout)
        for _ in range(STARTS)
    ]  # fmt: skip
    pem = signing_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    checked = microseconds(lambda: load_pem_private_key(pem, None), 2) / 1_000
    print(
        f"key ready in a fresh process: {statistics.median(firsts):.2f} ms (goal 1, stretch 0.1); "
        f"with checks, it takes {checked:.0f} ms"
    )
    sandbox = Sandbox()
    text = str(sandbox.tokens.issue(sandbox.client).text)
    public = signing_key().public_key()
    seen = microseconds(lambda: sandbox.tokens.verify(text, "sandbox"), 5_000)
    audience = sandbox.options.token_audience
    verified = microseconds(lambda: jwt.decode(text, public, ["RS256"], audience=audience), 200)
    print(
        f"bearer check of a seen token: {seen:.2f} us (goal 2, stretch 0.5); PyJWT verifies it "
        f"in {verified:.0f} us"
    )


def microseconds(call: Callable[[], object], count: int) -> float:
    """Return the median time of a call, over eleven batches."""
    batches = []
    for _ in range(11):
        begin = time.process_time()
        for _ in range(count):
            call()
        batches.append((time.process_time() - begin) / count * 1e6)
    return statistics.median(batches)


if __name__ == "__main__":
    main()
