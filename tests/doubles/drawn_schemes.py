"""Signature schemes drawn at random: from the forms that can be learned, and from outside them."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random  # noqa: TID251 - of tests, seeded
from typing import Any

from pytest_turris.webhooks.learning.bodies import RAW_BODY, forms_of
from pytest_turris.webhooks.learning.signed_texts import JOINTS_TRIED, LAYOUTS
from pytest_turris.webhooks.learning.values import ALGORITHMS, ENCODINGS

NAMES = ("Müller & Söhne", "Acme", 'O\'Brien "Ltd"', "東京", "a/b", "West")
KEYS = ("text", "hex", "base64", "base64url", "sha256", "sha256hex")
PREFIXES = ("", "sha256=", "v1=", "v0=", "v1,", "sig:", "HMAC ", "signature=", "s")
TIMES = ("seconds", "milliseconds", "ISO 8601")
URL = "https://hooks.example.com/turris?tenant=7"


@dataclass(frozen=True, kw_only=True)
class DrawnScheme:
    """A scheme, as its sender implements it: written without the code that learns it."""

    header: str
    algorithm: str
    encoding: str
    prefix: str
    separator: str
    layout: tuple[str, ...]
    joint: str
    version: str
    form: str
    time: str
    time_in_value: bool
    key: str
    key_prefix: str
    secret: str

    @classmethod
    def draw(cls, random: Random) -> "DrawnScheme":
        """A scheme of the known forms; half of them are what options can express."""
        plain = random.random() < 0.5
        layout = random.choice(LAYOUTS[:8] if plain else LAYOUTS)
        form = random.choice((RAW_BODY, RAW_BODY, *forms_of(body_of(random))))
        if layout not in LAYOUTS[:9]:
            form = RAW_BODY
        key = random.choice(KEYS[:3] if plain else KEYS)
        key_prefix = random.choice(("", "whsec_")) if key in ("hex", "base64") else ""
        time_in_value = "time" in layout and random.random() < 0.3
        prefix = "v1=" if time_in_value else random.choice(PREFIXES)
        version = "v1"
        if "version" in layout and prefix in ("v0=", "v1="):
            version = prefix[:2]
        return cls(
            header=random.choice(("X-Turris-Signature", "X-Signature", "webhook-signature")),
            algorithm="sha256" if plain or prefix == "s" else random.choice([*ALGORITHMS.values()]),
            encoding=random.choice([one.name for one in ENCODINGS][:3:2] if plain else
                                   [one.name for one in ENCODINGS]),
            prefix=prefix,
            separator=random.choice(("", "", " ", ", ", "; ")) if prefix and not time_in_value and
            "," not in prefix and " " not in prefix else "",
            layout=layout,
            joint=random.choice(JOINTS_TRIED[:3] if form != RAW_BODY else JOINTS_TRIED),
            version=version,
            form=form,
            time="seconds" if plain else random.choice(TIMES),
            time_in_value=time_in_value,
            key=key,
            key_prefix=key_prefix,
            secret=key_prefix + secret_of(key, random),
        )  # fmt: skip

    def deliver(self, random: Random) -> "Sent":
        """One delivery: new body, time and id."""
        body, moment = body_of(random), 1_700_000_000 + random.randrange(90_000_000)
        time, message_id = written(self.time, moment), id_of(random)
        parts = {
            "body": forms_of(body)[self.form],
            "time": time.encode(),
            "id": message_id.encode(),
            "version": self.version.encode(),
            "url": URL.encode(),
            "path": b"/turris?tenant=7",
            "method": b"POST",
        }
        text = self.joint.encode().join(parts[kind] for kind in self.layout)
        signatures = [self.signature(text)]
        if self.separator:
            signatures.insert(random.randrange(2), self.signature(b"with the key before"))
        value = self.separator.join(self.prefix + one for one in signatures)
        lines = [("Content-Type", "application/json"), ("User-Agent", "Sender/1.0")]
        if self.time_in_value:
            value = f"t={time},{value}"
        else:
            lines.append(("X-Sent-At", time))
        lines += [("X-Message-Id", message_id), ("X-Attempt", "1"), (self.header, value)]
        random.shuffle(lines)
        return Sent(tuple(lines), body)

    def described(self) -> dict[str, str]:
        """What a report has to say about it."""
        form = "t={time},v1={signature}" if self.time_in_value else self.prefix + "{signature}"
        found = {
            "header": self.header,
            "signature": f"HMAC-{self.algorithm.upper()} in {self.encoding}",
            "body": f"signs {self.form}",
        }
        if form != "{signature}":
            found["form"] = f"written {form!r}"
        if self.separator:
            found["list"] = f"several separated by {self.separator!r}"
        return found

    def signature(self, text: bytes) -> str:
        """The signature of a text."""
        digest = hmac.new(self.key_bytes(), text, self.algorithm).digest()
        writers: dict[str, Callable[[bytes], str]] = {
            "hex": bytes.hex,
            "upper-case hex": lambda digest: digest.hex().upper(),
            "base64": lambda digest: base64.b64encode(digest).decode(),
            "base64 without padding": lambda digest: base64.b64encode(digest).decode().rstrip("="),
            "base64url": lambda digest: base64.urlsafe_b64encode(digest).decode(),
            "base64url without padding": lambda digest: (
                base64.urlsafe_b64encode(digest).decode().rstrip("=")
            ),
        }
        return writers[self.encoding](digest)

    def key_bytes(self) -> bytes:
        """The key of the HMAC."""
        bare = self.secret.removeprefix(self.key_prefix)
        readers: dict[str, Callable[[str], bytes]] = {
            "text": str.encode,
            "hex": bytes.fromhex,
            "base64": base64.b64decode,
            "base64url": base64.urlsafe_b64decode,
            "sha256": lambda text: hashlib.sha256(text.encode()).digest(),
            "sha256hex": lambda text: hashlib.sha256(text.encode()).hexdigest().encode(),
        }
        return readers[self.key](bare)


@dataclass(frozen=True)
class Sent:
    """A delivery: header lines and body."""

    headers: tuple[tuple[str, str], ...]
    body: bytes


def body_of(random: Random) -> bytes:
    """An envelope, written in one of the ways in which senders write JSON."""
    payload = [
        {"npn": str(random.randrange(10**8)), "legalName": random.choice(NAMES), "active": True}
        for _ in range(random.randrange(1, 4))
    ]
    envelope = {"webhookType": "X", "upstreamEntityId": f"{random.randrange(16**24):024x}"}
    whole: Any = envelope | {"payload": payload}
    ways: list[Callable[[], str]] = [
        lambda: json.dumps(whole, separators=(",", ":"), ensure_ascii=False),
        lambda: json.dumps(whole, separators=(",", ":")),
        lambda: json.dumps(whole),
        lambda: json.dumps(whole, indent=4, ensure_ascii=False),
        lambda: json.dumps(whole, separators=(",", ": "), ensure_ascii=False) + "\n",
    ]
    return random.choice(ways)().encode()


def id_of(random: Random) -> str:
    """A message's id in one of the usual forms, some of which look like a digest."""
    digits = random.randbytes(20).hex()
    return random.choice((
        f"msg_{digits[:24]}", digits[:24], digits, str(random.randrange(10**12)),
        f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[15:18]}-{digits[18:30]}",
        "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    ))  # fmt: skip


def secret_of(form: str, random: Random) -> str:
    """A secret in a form."""
    raw = random.randbytes(24)
    if form == "hex":
        return raw.hex()
    if form in ("base64", "base64url"):
        encode = base64.b64encode if form == "base64" else base64.urlsafe_b64encode
        return encode(raw).decode()
    return f"turris_sandbox_whsec_{raw.hex()[:32]}"


def written(form: str, moment: int) -> str:
    """A moment in a form."""
    if form == "ISO 8601":
        return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(moment * (1000 if form == "milliseconds" else 1))


def foreign(random: Random) -> tuple[Sent, str]:
    """A delivery that is signed in a way outside the known forms, and its secret."""
    secret, body = secret_of("text", random), body_of(random)
    key = secret.encode()
    ways: list[Callable[[], str]] = [
        lambda: hashlib.sha256(key + body).hexdigest(),
        lambda: hashlib.sha256(body + key).hexdigest(),
        lambda: hmac.new(key, body[::-1], "sha256").hexdigest(),
        lambda: hmac.new(key[::-1], body, "sha256").hexdigest(),
        lambda: hmac.new(key, body, "sha3_256").hexdigest(),
        lambda: hmac.new(key, body, "md5").hexdigest(),
        lambda: hmac.new(key, body + b"salt", "sha256").hexdigest(),
        lambda: hmac.new(body, key, "sha256").hexdigest(),
        lambda: base64.b32encode(hmac.new(key, body, "sha256").digest()).decode(),
        lambda: hmac.new(hashlib.sha1(key).digest(), body, "sha256").hexdigest(),  # noqa: S324 - foreign
        lambda: hmac.new(key, body.upper(), "sha256").hexdigest(),
        lambda: hmac.new(key, body.hex().encode(), "sha256").hexdigest(),
        lambda: random.randbytes(32).hex(),
    ]
    value = random.choice(("", "sha256=", "v1=")) + random.choice(ways)()
    lines = (("X-Sent-At", str(random.randrange(10**9, 2 * 10**9))), ("X-Turris-Signature", value))
    return Sent(lines, body), secret
