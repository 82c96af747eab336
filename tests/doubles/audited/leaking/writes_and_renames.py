"""Writes files as careful programs do, and without Python's own file objects."""

import os
import sqlite3


def atomically(token, directory):
    first = directory / "token.tmp"
    first.write_text(token, encoding="utf-8")
    first.replace(directory / "token.json")  # LK-06


def by_descriptor(token, directory):
    descriptor = os.open(directory / "token.txt", os.O_WRONLY | os.O_CREAT, 0o644)  # LK-06
    os.write(descriptor, token.encode())
    os.close(descriptor)


def in_a_database(token, directory):
    database = sqlite3.connect(directory / "tokens.db")  # LK-06
    database.execute("create table tokens (token)")
    database.execute("insert into tokens values (?)", (token,))
    database.commit()
    database.close()
