"""The test process' side of ``--turris-url``: answers requests that a shared server forwards."""
