"""The server: a sandbox on a socket, its log, and the thread that sends its webhooks."""
