"""How things read: masked secrets, durations, plurals, near names, links to the docs."""
