"""What is seen of a client: its requests, and where its secrets show."""
