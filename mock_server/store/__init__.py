"""State that survives a restart: the sandboxes of a server, with their history."""
