"""``turris-sandbox health``: asks a sandbox whether it is ready."""
