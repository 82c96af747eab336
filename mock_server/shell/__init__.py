"""The commands of ``turris-sandbox``: what they are called, read and print."""
