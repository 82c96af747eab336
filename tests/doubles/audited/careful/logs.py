"""Logs what it does, and masks what may be secret."""

import logging

log = logging.getLogger("acme.turris")


def debug_sign_in(secret):
    log.debug("signing in with a secret that ends in %s", secret[-4:])
