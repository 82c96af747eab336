"""Who may call the API: credentials, keys, tokens and their checks."""
