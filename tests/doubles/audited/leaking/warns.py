"""Warns of a token without an end."""

import warnings


def check(token):
    warnings.warn(f"no expiresIn for {token}", stacklevel=2)  # LK-03
