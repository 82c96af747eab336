"""Keeps the token in a file, for the next run."""

from pathlib import Path


def keep(token, directory):
    Path(directory, "token.json").write_text(f'{{"token": "{token}"}}', encoding="utf-8")  # LK-06
