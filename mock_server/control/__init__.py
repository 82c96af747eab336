"""The table of controls: what a test does to a sandbox in Python, for every other language."""
