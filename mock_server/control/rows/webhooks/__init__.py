"""Webhooks: who receives them, what is sent, and attacks on those who receive."""
