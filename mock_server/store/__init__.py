"""State that stays: a file that keeps the sandboxes of a server, with their history."""
