"""How a delivery reaches a receiver in this process: an application, a client, or a function."""
