"""Signed webhooks: the scheme, the documented events, hostile variants and their delivery."""
