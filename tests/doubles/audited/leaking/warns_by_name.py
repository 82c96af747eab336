"""Has imported the function, before anything could replace it."""

import warnings
from warnings import warn


def check(token):
    warn(f"no expiresIn for {token}", stacklevel=1)  # LK-03


def check_explicitly(token):
    warnings.warn_explicit(f"no expiresIn for {token}", UserWarning, __file__, 1)  # LK-03
