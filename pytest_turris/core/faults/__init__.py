"""Responses that a test asked for: scripted faults and hostile responses."""
