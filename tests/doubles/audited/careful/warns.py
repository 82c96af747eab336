"""Warns of what is missing, without the token."""

import warnings


def check(token):
    warnings.warn(f"no expiresIn for a token of {len(token)} characters", stacklevel=2)
