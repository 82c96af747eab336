"""The page at ``/__sandbox__/``: what came in, and every control, in a browser."""
