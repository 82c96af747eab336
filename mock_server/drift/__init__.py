"""``turris-sandbox drift``: asks a real tenant what the fidelity table only assumes."""
