"""Another machine: what a run of the test suite must not depend on."""
