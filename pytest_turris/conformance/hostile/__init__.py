"""The check that a client copes with a hostile answer."""
