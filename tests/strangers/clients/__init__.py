"""Token clients not written to please a check: correct ones, and ones with one bug each."""
