"""Files of policies: read within bounds, and carried out row by row."""
