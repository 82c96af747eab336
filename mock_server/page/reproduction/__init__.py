"""A request of the journal as a pytest test, which was tried before it is given out."""
