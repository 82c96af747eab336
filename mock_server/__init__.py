"""The standalone sandbox: the same fake Turris, for local development in any language."""
