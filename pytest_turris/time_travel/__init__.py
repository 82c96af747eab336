"""Moves the process's time: the engines, and sleeps that return at once."""
