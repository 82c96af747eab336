"""``turris-sandbox audit`` and ``scan``: the audit outside pytest."""
