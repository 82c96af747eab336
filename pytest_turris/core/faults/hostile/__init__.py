"""Hostile answers: what a broken, old, overloaded or compromised server may send."""
