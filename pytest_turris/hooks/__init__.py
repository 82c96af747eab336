"""What runs beside all tests of a run: pytest plugins that are registered when needed."""
