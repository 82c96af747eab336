"""Hostile webhooks: what an attacker may send to a receiver, and how to judge what it answers."""
