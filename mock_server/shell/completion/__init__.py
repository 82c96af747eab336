"""Completion in shells: the command that prints its script, and the values that it offers."""
