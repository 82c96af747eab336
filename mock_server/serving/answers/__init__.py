"""Decides which sandbox answers a request, and in which thread."""
