"""Exceptions at random lines of the core; ``python -m faults`` raises them for a long time."""
