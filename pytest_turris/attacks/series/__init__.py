"""Several attacks on one receiver: whether it can be attacked at all, and still can."""
