"""Who may call: credentials, keys, tokens and their checks."""
