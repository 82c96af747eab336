"""``turris-sandbox trigger``: sends one signed webhook."""
