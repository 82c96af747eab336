"""The state of a sandbox as data: its format, its versions, and files to share."""
