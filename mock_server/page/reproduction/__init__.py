"""A request of the journal as a pytest test, which is tried before it is shown."""
