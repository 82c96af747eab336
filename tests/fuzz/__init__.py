"""Random requests to every operation; ``python -m fuzz`` sends them for minutes."""
