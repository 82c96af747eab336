"""Conformance of token clients: rules with their probes, and hostile answers."""
