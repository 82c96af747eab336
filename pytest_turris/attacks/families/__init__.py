"""The attacks as data, one file per family."""
