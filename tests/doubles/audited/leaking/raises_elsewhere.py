"""Exceptions that show a secret in other places than their text, or to nobody who catches them."""

import threading


def as_context(secret):
    try:
        raise ValueError(secret)
    except ValueError:
        raise RuntimeError("the token request failed") from None  # LK-04


def as_note(secret):
    error = RuntimeError("the token request failed")
    error.add_note(f"with {secret}")
    raise error  # LK-04


def in_a_group(secret):
    raise ExceptionGroup("two requests failed", [ValueError(secret)])  # LK-04


def in_a_thread(secret):
    def fails():
        raise ValueError(secret)  # LK-04

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()


def at_its_end(secret):
    class Connection:
        def __del__(self):
            raise ValueError(secret)  # LK-04

    Connection()
