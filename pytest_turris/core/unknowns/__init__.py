"""What nobody outside Turris could read: the rows of the fidelity table, and options for them."""
