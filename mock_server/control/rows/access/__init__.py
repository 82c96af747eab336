"""Who may call, and how often: credentials, tokens, limits."""
