"""Keeps the token in a file that only its owner can read."""

import os
from pathlib import Path


def keep(token, directory):
    path = Path(directory, "token.json")
    with open(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(f'{{"token": "{token}"}}')
