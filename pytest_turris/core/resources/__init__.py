"""What an upstream entity has at Turris: one file for each kind of record."""
