"""Masks secrets in what a run of pytest writes."""
