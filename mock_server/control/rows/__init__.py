"""The rows of the table, one file for each part of a sandbox."""
