"""The fake Turris: synchronous, deterministic, no I/O, no HTTP library, no pytest."""
