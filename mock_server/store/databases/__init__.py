"""The databases that a store can be in, and all differences between them."""
