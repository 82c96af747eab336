"""The spellings of a secret in a URL, a log line, a file or a built frontend."""

import base64
import json
from urllib.parse import quote, quote_plus

SHORTEST_SPELT = 12


def spellings(secret: str) -> tuple[str, ...]:
    """A secret as such, and as it may be encoded.

    Percent-encoded, as far as it needs that or each byte; in Base64 at each alignment; in hex; as
    Python and JSON write it, also in JSON's escapes alone; backwards.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    forms = [secret, quote(secret, safe=""), quote(secret), quote_plus(secret)]
    forms += [raw.hex(), raw.hex().upper(), secret[::-1]]
    forms += [written[1:-1] for written in (repr(secret), ascii(secret), json.dumps(secret))]
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + raw).decode()
        # The characters at both ends depend on the text around the secret.
        inside = encoded.rstrip("=")[4 if before else 0 : -2]
        forms += [inside, inside.replace("+", "-").replace("/", "_")]
    # In C: a run may have thousands of tokens, of hundreds of characters each.
    percents = f"%{raw.hex('%')}"
    units = secret.encode("utf-16-be", "surrogatepass").hex("+", 2)
    forms += [percents, percents.upper()]
    forms += [f"+{digits}".replace("+", "\\u") for digits in (units, units.upper())]
    return tuple(dict.fromkeys(form for form in forms if len(form) >= SHORTEST_SPELT))
