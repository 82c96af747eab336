"""What happened, and what a test expected to happen."""
