"""Logs with its own logger, which does not propagate, and adds what might help."""

import logging

log = logging.getLogger("acme.turris")
log.propagate = False
log.addHandler(logging.NullHandler())


def debug_sign_in(secret):
    log.debug("signing in", extra={"settings": {"secret": secret}})  # LK-01
