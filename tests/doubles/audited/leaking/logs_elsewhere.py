"""Logs that a test's usual capture does not show."""

import logging

log = logging.getLogger("acme.quiet")


def below_the_level(secret):
    log.debug("signing in with %s", secret)  # LK-01


def the_traceback(secret):
    try:
        raise ValueError(secret)
    except ValueError:
        log.exception("signing in failed")  # LK-01
