"""Files of policies: read within limits, and processed row by row."""
