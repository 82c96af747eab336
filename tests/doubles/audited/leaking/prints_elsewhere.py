"""Writes past print, to the other stream and to the streams' bytes."""

import os
import sys


def to_stderr(token):
    sys.stderr.write(f"token {token}\n")  # LK-02


def to_the_hook(token):
    try:
        raise ValueError(token)
    except ValueError:
        sys.excepthook(*sys.exc_info())  # LK-02


def to_a_descriptor(token):
    os.write(2, token.encode())


def to_the_bytes(token):
    sys.stdout.buffer.write(token.encode())
    sys.stdout.flush()
