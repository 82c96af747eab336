"""Several attacks on one receiver: whether it can be attacked, before and afterwards."""
