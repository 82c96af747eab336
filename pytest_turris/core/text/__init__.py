"""How things are written: masked secrets, durations, plurals, near names, links to the docs."""
