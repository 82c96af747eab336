"""``turris-sandbox audit`` and ``scan``: the audit of what is not a pytest run."""
