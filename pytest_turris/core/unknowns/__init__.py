"""What no page says: the rows of the fidelity table, and options for them."""
