"""What the API does: one file for each group of operations in the reference."""
