"""One upstream entity, and what follows from a change or from time."""
