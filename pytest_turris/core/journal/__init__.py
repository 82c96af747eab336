"""The exchanges of a sandbox, and the refusals that a test expects."""
