"""Doors: the ways in which requests reach a sandbox. They only translate."""
