"""What a check found: one verdict, one text, one way to ignore a check with a reason."""
