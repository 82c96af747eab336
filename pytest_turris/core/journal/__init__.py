"""What happened in the sandbox, and what a test expected."""
