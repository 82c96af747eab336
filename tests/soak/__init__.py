"""A long run against a served sandbox: what it must not lose, and what must not grow."""
