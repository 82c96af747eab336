"""Clients with one realistic bug each; the docstring says which, as a reviewer would."""
