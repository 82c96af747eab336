"""Sends the webhook of one step, and returns the response."""
