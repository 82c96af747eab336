"""Secrets that a client sends in other forms than Turris's are masked in bodies."""

import json
from typing import Any

import pytest

from pytest_turris.core.text.redaction import preview

CANARY = "canary-0123456789-wxyz"


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["clientSecret", "access_token", "url"])
@pytest.mark.parametrize("indent", [None, 2])
def test_masks_secrets_in_json_in_a_string_of_json(
    depth: int, name: str, indent: int | None
) -> None:
    """However often it is encoded: it stays JSON, and shows what is around the secret."""
    document: object = {"a": 'x"y', name: f'q"{CANARY}', "z": [1]}
    for _ in range(depth):
        document = {"body": json.dumps(document, indent=indent)}
    shown: Any = json.loads(preview(json.dumps(document).encode()))
    for _ in range(depth):
        shown = json.loads(shown["body"])
    assert shown == {"a": 'x"y', name: "***-wxyz", "z": [1]}


@pytest.mark.parametrize("value", [f'["{CANARY}"]', f'{{"v":"{CANARY}"}}', f'"{CANARY}'])
def test_masks_odd_secrets_in_a_string_of_json(value: str) -> None:
    """Of the wrong type, cut off, or with quotes as numbers: the whole value never shows."""
    text = json.dumps('{"client\\u0053ecret": ' + value)
    assert CANARY not in preview(text.encode())
    assert CANARY not in preview(text[:-1].encode())
    assert CANARY not in preview(text.replace('\\"', "\\u0022").encode())
