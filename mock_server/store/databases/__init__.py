"""The databases that a store can be in; all that differs between them is here."""
