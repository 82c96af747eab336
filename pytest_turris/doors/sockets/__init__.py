"""Doors that clients reach over a socket, and the ASGI application behind them."""
