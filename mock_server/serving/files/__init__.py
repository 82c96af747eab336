"""Files that a server keeps up to date for other programs."""
