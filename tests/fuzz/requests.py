"""Requests that no client should send: those of the recipes, changed at random from a seed."""

import base64
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random  # noqa: TID251 - from a seed
from typing import Any

from doubles.api_recipes import Sent, World

from pytest_turris.core.api.routes import OPERATIONS

CORPUS = Path(__file__).parent / "corpus"
"""Every request that ever failed, one file each; a test sends them all."""

WORDS = (
    b"", b"\x00", b"\xff\xfe", b"\r\n", b"%00", b"%ff", b"..%2f", b"null", b"NaN", b"1e999",
    b"[[[[", b'{"$ne":1}', b"9" * 5_000, b"=?utf-8?b?AA==?=", b"\xed\xa0\x80", b"PK\x03\x04",
    b"--frontier--",
)  # fmt: skip
HEADERS = (
    ("content-type", "multipart/form-data; boundary*=idna''frontier"),
    ("content-type", 'multipart/form-data; boundary="fron\\"tier"'),
    ("content-type", "multipart/form-data"),
    ("content-type", "application/json; charset=utf-16"),
    ("content-type", "application/json; charset=idna"),
    ("content-type", "text/csv"),
    ("content-type", ""),
    ("content-length", "-1"),
    ("transfer-encoding", "chunked, chunked"),
    ("idempotency-key", "\x7f" * 40),
    ("x-idempotency-key", "9" * 5_000),
    ("authorization", "Bearer " + "." * 3),
    ("authorization", "Basic \xff"),
    ("x-restricted-access-token", "\xff"),
    ("x-forwarded-for", "::ffff:1.2.3.4, [::1]"),
)
VALUES: tuple[Any, ...] = (
    None, True, -1, 1e308, 10**400, "", "\x00", "\ud800", "x" * 20_000, [], [[[]]], {},
    {"$ne": None},
)  # fmt: skip


def changed(goods: Sequence[Sent], random: Random) -> Sent:
    """One of the good requests, changed once to four times."""
    sent = random.choice(goods)
    for _ in range(random.randrange(1, 5)):
        sent = random.choice(MUTATORS)(sent, random)
    return sent


def kept(sent: Sent) -> str:
    """A request as a file of the corpus."""
    body = base64.b64encode(sent.body).decode()
    document = {"method": sent.method, "target": sent.target, "headers": sent.headers, "body": body}
    return json.dumps(document, indent=1) + "\n"


def read(text: str, world: World) -> Sent:
    """A request of the corpus, with the credentials of this world."""
    document = json.loads(text)
    headers = dict(document["headers"])
    if "authorization" in headers and headers["authorization"] == "TOKEN":
        good = world.request(OPERATIONS[4])
        headers["authorization"] = good.headers["authorization"]
    body = base64.b64decode(document["body"])
    return Sent(document["method"], document["target"], headers, body)


def change_body(sent: Sent, random: Random) -> Sent:
    """Bytes are replaced, doubled, cut out."""
    body = bytearray(sent.body or b"{}")
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.randrange(0, 12))
    body[start:end] = random.choice((*WORDS, random.randbytes(4), bytes(body[start:end]) * 3))
    return replace(sent, body=bytes(body))


def change_json(sent: Sent, random: Random) -> Sent:
    """One value, at any depth, becomes another."""
    try:
        document = json.loads(sent.body)
    except ValueError:
        return replace(sent, body=random.choice(WORDS))
    place: Any = document
    while isinstance(place, dict) and place:
        name = random.choice(sorted(place))
        if isinstance(place[name], dict) and random.random() < 0.7:
            place = place[name]
            continue
        place[name] = random.choice(VALUES)
        break
    return replace(sent, body=json.dumps(document).encode())


def change_headers(sent: Sent, random: Random) -> Sent:
    """One header has another value."""
    return replace(sent, headers=sent.headers | dict([random.choice(HEADERS)]))


def change_target(sent: Sent, random: Random) -> Sent:
    """A piece of the path or the query is another one."""
    start = random.randrange(1, len(sent.target) + 1)
    word = random.choice(WORDS[:10]).decode("latin-1")
    return replace(sent, target=sent.target[:start] + word + sent.target[start + 2 :])


def change_method(sent: Sent, random: Random) -> Sent:
    """Another method."""
    return replace(sent, method=random.choice(("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")))


def send_file(sent: Sent, random: Random) -> Sent:
    """A multipart form with a file that is no spreadsheet, or hardly one."""
    name = random.choice(('filename="a.xlsx"', "filename*=idna''a.csv", 'filename="\xff.csv"'))
    content = random.choice((workbook(random), *WORDS))
    head = f'--frontier\r\ncontent-disposition: form-data; name="file"; {name}\r\n\r\n'
    body = head.encode("latin-1") + content + b"\r\n--frontier--\r\n"
    headers = sent.headers | {"content-type": "multipart/form-data; boundary=frontier"}
    return Sent("POST", "/v1/policies/upload", headers, body)


def workbook(random: Random) -> bytes:
    """A ZIP file with some of the parts of a workbook, and some bytes changed."""
    stream = io.BytesIO()
    parts = ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "_rels/.rels")
    # Compressing with LZMA takes as long as thirty requests.
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA)
    (method,) = random.choices(methods, (20, 20, 1))
    with zipfile.ZipFile(stream, "w", method) as archive:
        for part in parts:
            if random.random() < 0.7:
                archive.writestr(part, random.choice((b"<a/>", b"<sheetData><row><c", *WORDS)))
    found = bytearray(stream.getvalue())
    for _ in range(random.randrange(3)):
        found[random.randrange(len(found))] = random.randrange(256)
    return bytes(found)


MUTATORS = (change_body, change_json, change_headers, change_target, change_method, send_file)
