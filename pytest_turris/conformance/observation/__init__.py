"""Observes a client: its requests, and where its secrets appear."""
