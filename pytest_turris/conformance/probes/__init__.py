"""The rules and their probes, in files by what they look at; ``rules.py`` has them all."""
