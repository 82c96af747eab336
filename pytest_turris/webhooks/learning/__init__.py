"""Learns from one real delivery how its sender signs."""
