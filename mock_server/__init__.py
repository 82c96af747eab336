"""The standalone sandbox server, for local development and CI in any language."""
