"""Webhooks: the receivers, what they are sent, and attacks on them."""
