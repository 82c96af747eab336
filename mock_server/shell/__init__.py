"""The commands of ``turris-sandbox``: their names, options and output."""
