"""What other threads do, seen from outside of them."""
