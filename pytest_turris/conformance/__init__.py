"""Conformance of token clients: rules as data, probes that provoke them, hostile answers."""
