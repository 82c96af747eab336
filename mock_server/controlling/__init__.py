"""The controls of a running sandbox as shell commands."""
