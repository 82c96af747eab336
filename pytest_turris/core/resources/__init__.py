"""The records of an upstream entity: one file for each kind."""
