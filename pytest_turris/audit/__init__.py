"""The auditor: the vendor's security page as a checklist, and what a run shows about each line."""
