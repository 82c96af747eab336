"""Doors that are reached over a socket or as an ASGI application."""
