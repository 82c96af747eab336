"""The test process's side of ``--turris-url``: answers requests that a shared server forwards."""
