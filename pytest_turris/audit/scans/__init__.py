"""Scans of built frontends and repositories: what in their files shows a credential."""
