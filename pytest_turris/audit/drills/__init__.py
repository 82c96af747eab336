"""Drills: a secret is rotated, credentials are revoked, and the application is watched."""
